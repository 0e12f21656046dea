import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseMethod } from '../routing/allowed-methods.ts'

const allow = 'HEAD, GET, OPTIONS'
const links = JSON.stringify({ docs: '/docs', openapi: '/openapi.json' })

/**
 * Replies to a request for `/` if the app has no route for it. The reply redirects to the explorer. Its JSON body has
 * the paths of the explorer and of the document. The location is relative, since a proxy may serve the app below a
 * path.
 *
 * @param done Is called with a `Problem` for a method other than `HEAD`, `GET` and `OPTIONS`.
 * @returns Whether the request is for `/`.
 */
export function replyAtRoot(
  request: FastifyRequest,
  reply: FastifyReply,
  done: (problem?: Error | null) => void,
): boolean {
  const { method, url } = request
  if (url !== '/' && !url.startsWith('/?')) return false
  if (method !== 'GET' && method !== 'HEAD') refuseMethod(request, reply, allow, done)
  else
    reply
      .code(302)
      .header('location', './docs')
      .header('cache-control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(links)
  return true
}
