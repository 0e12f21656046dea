import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendWithoutBody } from './without-body.ts'

/**
 * Replies 304 if the caller's `if-none-match` has the entity tag, and returns whether it replied (RFC 9110, section
 * 13.1.2, weak comparison). It replies only to GET and HEAD.
 */
export function notModified(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  const { method, headers } = request
  const given = headers['if-none-match']
  if (given === undefined || (method !== 'GET' && method !== 'HEAD') || !matches(given, tag)) return false
  reply.removeHeader('content-type').removeHeader('headwaters-sources').removeHeader('headwaters-complete')
  sendWithoutBody(request, reply, 304)
  return true
}

function matches(given: string, tag: string): boolean {
  const opaque = tag.replace(/^W\//, '')
  return given.trim() === '*' || given.split(',').some(each => each.trim().replace(/^W\//, '') === opaque)
}
