import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../errors.ts'

/** Returns the body of a problem reply: the problem and the id of its request. */
export function problemBody(problem: Problem, id: string): string {
  return JSON.stringify({ ...problem.toJSON(), instance: `urn:headwaters:request:${id}` })
}

/** Sends a problem as the reply to a request. */
export function sendProblem({ id }: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  reply.code(problem.statusCode).type('application/problem+json').header('cache-control', 'no-store')
  // An error before the first hook has no id header yet.
  if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', id)
  setProblemHeaders(reply, problem)
  return reply.send(problemBody(problem, id))
}

/** Replies that have the headers of their problem. Fastify would add the values of `set-cookie` a second time. */
const replies = new WeakSet<FastifyReply>()

/** Sets the headers that belong to a problem: its own, once, and `retry-after`. */
export function setProblemHeaders(reply: FastifyReply, { headers, retryAfterSeconds }: Problem): void {
  if (headers !== undefined && !replies.has(reply)) {
    replies.add(reply)
    reply.headers(headers as Record<string, string | string[]>)
  }
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
}
