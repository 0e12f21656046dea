import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Replies 304 if the caller's `if-none-match` has the entity tag, and returns whether it replied (RFC 9110, section
 * 13.1.2, weak comparison). It replies only to GET and HEAD.
 */
export function notModified({ method, headers }: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  const given = headers['if-none-match']
  if (given === undefined || (method !== 'GET' && method !== 'HEAD') || !matches(given, tag)) return false
  reply.removeHeader('content-type').removeHeader('headwaters-sources')
  if (method === 'GET') reply.code(304).send()
  else {
    // Fastify would send `content-length: 0` for a HEAD, and a cache would apply it to its stored response.
    reply.hijack()
    reply.raw.writeHead(304, reply.getHeaders() as OutgoingHttpHeaders).end()
  }
  return true
}

function matches(given: string, tag: string): boolean {
  const opaque = tag.replace(/^W\//, '')
  return given.trim() === '*' || given.split(',').some(each => each.trim().replace(/^W\//, '') === opaque)
}
