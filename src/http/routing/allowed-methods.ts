import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { METHODS } from '../../core/node-http.ts'
import { Problem } from '../../errors.ts'
import { routerOptionsOf } from './match-path.ts'

/** An `onRequest` hook. */
export type RequestHook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

/** The handling of a method without a route: a hook, and the handler after it. */
export interface OtherMethods {
  readonly onRequest: RequestHook
  readonly handler: RouteOptions['handler']
}

/** Registers every method of Node's parser. Otherwise a method without a route gets 404 instead of 405. */
export function acceptAllMethods(app: FastifyInstance): void {
  for (const method of METHODS)
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT') app.addHttpMethod(method)
}

/**
 * Replies to the methods that have no route at a URL: to `OPTIONS` with the allowed methods, to any other method with
 * 405. It replies before a body is read.
 *
 * @param others The handling of these methods that replaces these replies.
 * @returns The value of `allow`.
 */
export function allowMethods(
  app: FastifyInstance,
  url: string,
  served: readonly string[],
  others?: OtherMethods,
): string {
  const fullUrl = registeredUrl(app, app.prefix.replace(/(?<!\/)\/+$/, '') + url)
  const hasRoute = (method: string) => app.hasRoute({ method, url: fullUrl })
  const known = ['HEAD', 'GET', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(
    method => hasRoute(method) || served.includes(method),
  )
  const allow = [...known, 'OPTIONS'].join(', ')
  const { onRequest, handler } = others ?? {
    onRequest: (request, reply, done) => {
      refuseMethod(request, reply, allow, done)
    },
    handler: () => {
      throw new TypeError('the onRequest hook replies to this request')
    },
  }
  if (!hasRoute('OPTIONS')) app.route({ method: 'OPTIONS', url, onRequest, handler })
  app.route({
    method: app.supportedMethods.filter(method => method !== 'OPTIONS' && !hasRoute(method)),
    url,
    exposeHeadRoute: false,
    onRequest,
    handler,
  })
  return allow
}

/** Returns a URL in the form in which an app's router stores it. `hasRoute` does not find other forms. */
export function registeredUrl(app: FastifyInstance, url: string): string {
  const { ignoreTrailingSlash, ignoreDuplicateSlashes } = routerOptionsOf(app)
  const path = ignoreDuplicateSlashes ? url.replaceAll(/\/{2,}/g, '/') : url
  return ignoreTrailingSlash && path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Replies to a method that a URL does not serve: to `OPTIONS` with the allowed methods, to any other with 405. */
export function refuseMethod(
  { method }: FastifyRequest,
  reply: FastifyReply,
  allow: string,
  done: (error?: Error) => void,
): void {
  reply.header('allow', allow)
  if (method === 'OPTIONS') reply.code(204).send()
  else done(new Problem('METHOD_NOT_ALLOWED', { detail: `This path does not support ${method}: use one of ${allow}.` }))
}
