import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'

/** Takes JSON bodies and no others; bytes that are no UTF-8 are refused, where Fastify would replace them. */
export function jsonBodies (app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(/^application\/(?:[\w.+-]+\+)?json(?:$|[ \t]*;)/i, { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    if (!isUtf8(body)) return done(new Problem('BAD_REQUEST', { detail: 'The body is not UTF-8.' }))
    const text = body.toString('utf8')
    return parse(request, text, (error, value) => error === null ? done(null, value) : done(new Problem('BAD_REQUEST', { detail: 'The body is not JSON.', cause: error })))
  })
}
