import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Sends a reply without a body. For a HEAD, Fastify would send `content-length: 0`, which a 204 must not have, and
 * which a cache would apply to its stored response after a 304.
 */
export function sendWithoutBody({ method }: FastifyRequest, reply: FastifyReply, status: 204 | 304): void {
  if (method !== 'HEAD') return void reply.code(status).send()
  reply.hijack()
  reply.raw.writeHead(status, reply.getHeaders() as OutgoingHttpHeaders).end()
}
