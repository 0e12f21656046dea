import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'

/** `OPTIONS` says what a URL answers, without a fan-out; any other method is 405. Both before a body is looked at. */
export function allowMethods(app: FastifyInstance, url: string, served: readonly string[]): void {
  const place = app.prefix.replace(/(?<!\/)\/+$/, '') + url
  const isTheirs = (method: string) => app.hasRoute({ method, url: place })
  const known = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
    method => isTheirs(method) || served.includes(method),
  )
  const allow = [...known, 'OPTIONS'].join(', ')
  const unreachable = () => {
    throw new TypeError('answered by its onRequest hook')
  }
  if (!isTheirs('OPTIONS'))
    app.route({
      method: 'OPTIONS',
      url,
      onRequest: (_request, reply) => {
        reply.code(204).header('allow', allow).send()
      },
      handler: unreachable,
    })
  app.route({
    method: app.supportedMethods.filter(method => method !== 'OPTIONS' && !isTheirs(method)),
    url,
    exposeHeadRoute: false,
    onRequest: (_request, reply, done) => {
      reply.header('allow', allow)
      done(new Problem('METHOD_NOT_ALLOWED', { detail: `This answers ${allow}.` }))
    },
    handler: unreachable,
  })
}
