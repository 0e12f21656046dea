import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, toProblem, type ErrorCode } from '../errors.ts'

/** Fastify's own refusals, by its codes. */
const known: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
}

/** Answers every failure as `application/problem+json`, and logs those that are ours to mend. */
export function problems (app: FastifyInstance): void {
  app.setErrorHandler(answerProblem)
  app.setNotFoundHandler((request, reply) => send(request, reply, new Problem('NOT_FOUND')))
}

/** Answers one failure; also for those that come before any route. */
export function answerProblem (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = read(error)
  log(request, problem)
  return send(request, reply, problem)
}

/** Answers bytes that are no HTTP request, and closes their connection. */
export function answerNonsense (error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, phrase, code]: [number, string, ErrorCode] =
    error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large', 'HEADERS_TOO_LARGE']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? [408, 'Request Timeout', 'REQUEST_TIMEOUT']
        : [400, 'Bad Request', 'BAD_REQUEST']
  const body = JSON.stringify(new Problem(code))
  socket.end(`HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}

function read (error: FastifyError): Problem {
  const code = known[error.code]
  if (code !== undefined) return new Problem(code, { cause: error })
  const isCallers = !(error instanceof Problem) && error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
  return isCallers ? new Problem('BAD_REQUEST', { status: error.statusCode as number, cause: error }) : toProblem(error)
}

function log (request: FastifyRequest, problem: Problem): void {
  const { code, cause, statusCode } = problem
  if (statusCode === 500) request.log.error({ err: cause ?? problem, code }, 'a request failed by a bug')
  else if (statusCode > 500) request.log.warn({ code, detail: problem.detail }, 'a request failed')
}

function send ({ id }: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  reply.code(problem.statusCode).type('application/problem+json').header('cache-control', 'no-store')
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
  return reply.send(JSON.stringify({ ...problem.toJSON(), instance: `urn:headwaters:request:${id}` }))
}
