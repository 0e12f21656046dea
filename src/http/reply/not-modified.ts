import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Answers 304 to a caller who has this already, and tells whether it did (RFC 9110, section 13.1.2; the comparison is
 * weak). Only GET and HEAD are answered so.
 */
export function notModified({ method, headers }: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  const given = headers['if-none-match']
  if (given === undefined || (method !== 'GET' && method !== 'HEAD') || !names(given, tag)) return false
  reply.removeHeader('content-type')
  if (method === 'GET') reply.code(304).send()
  else {
    // Fastify would say `content-length: 0` to a HEAD, and a cache would believe it of the answer it keeps.
    reply.hijack()
    reply.raw.writeHead(304, reply.getHeaders() as OutgoingHttpHeaders).end()
  }
  return true
}

function names(given: string, tag: string): boolean {
  const opaque = tag.replace(/^W\//, '')
  return given.trim() === '*' || given.split(',').some(each => each.trim().replace(/^W\//, '') === opaque)
}
