import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'

/** `OPTIONS` says what a URL answers, without a fan-out; any other method is 405. Both before a body is looked at. */
export function otherMethods (app: FastifyInstance, url: string, served: readonly string[]): void {
  const methods = [...served.includes('GET') ? ['HEAD'] : [], ...served, 'OPTIONS']
  const allow = methods.join(', ')
  const unreachable = () => { throw new TypeError('answered by its onRequest hook') }
  app.route({
    method: 'OPTIONS',
    url,
    onRequest: (_request, reply) => { reply.code(204).header('allow', allow).send() },
    handler: unreachable,
  })
  app.route({
    method: app.supportedMethods.filter(method => !methods.includes(method) && !app.hasRoute({ method, url: app.prefix + url })),
    url,
    exposeHeadRoute: false,
    onRequest: (_request, reply, done) => {
      reply.header('allow', allow)
      done(new Problem('METHOD_NOT_ALLOWED', { detail: `This answers ${allow}.` }))
    },
    handler: unreachable,
  })
}
