import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'

/**
 * Replies to the methods that have no route at a URL: to `OPTIONS` with the allowed methods, to any other method with
 * 405. Both happen before a body is read.
 */
export function allowMethods(app: FastifyInstance, url: string, served: readonly string[]): void {
  const fullUrl = app.prefix.replace(/(?<!\/)\/+$/, '') + url
  const hasRoute = (method: string) => app.hasRoute({ method, url: fullUrl })
  const known = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
    method => hasRoute(method) || served.includes(method),
  )
  const allow = [...known, 'OPTIONS'].join(', ')
  const unreachable = () => {
    throw new TypeError('the onRequest hook replies to this request')
  }
  if (!hasRoute('OPTIONS'))
    app.route({
      method: 'OPTIONS',
      url,
      onRequest: (_request, reply) => {
        reply.code(204).header('allow', allow).send()
      },
      handler: unreachable,
    })
  app.route({
    method: app.supportedMethods.filter(method => method !== 'OPTIONS' && !hasRoute(method)),
    url,
    exposeHeadRoute: false,
    onRequest: (_request, reply, done) => {
      reply.header('allow', allow)
      done(new Problem('METHOD_NOT_ALLOWED', { detail: `This answers ${allow}.` }))
    },
    handler: unreachable,
  })
}
