import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, toProblem, type ErrorCode } from '../../errors.ts'
import { cut } from '../../log/cut.ts'
import { sendRawProblem } from './raw-problem.ts'
import { problemBody } from './problem-body.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { logOutcome, type RequestOutcome } from '../log/request-outcome.ts'
import { causeChain } from '../log/cause-chain.ts'

/** Fastify's own refusals, by its codes. */
const codeOfFastifyError: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
}

const badRequest = { code: 'BAD_REQUEST', statusCode: 400 } as const

/** Refusals by the server itself, by Node's codes; others are `unreadable`. */
const serverRefusals = {
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', statusCode: 431 },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', statusCode: 408 },
} as const

/** Answers every failure as `application/problem+json`, and logs those that are ours to mend. */
export function handleErrorsAsProblems(app: FastifyInstance): void {
  app.setErrorHandler(errorHandler)
  // Before Fastify reads a body for its handler.
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (request.is404) done(new Problem('NOT_FOUND'))
    else done(null, payload)
  })
  app.setNotFoundHandler((request, reply) => {
    const problem = new Problem('NOT_FOUND')
    logProblem(request, problem)
    return sendProblem(request, reply, problem)
  })
}

/** Answers one failure; also for those that come before any route. */
export function errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  logProblem(request, problem)
  return sendProblem(request, reply, problem)
}

/** Answers bytes that are no HTTP request, and closes their connection. */
export function sendMalformedProblem(
  { code: reason }: Error & { readonly code?: string },
  socket: Socket,
  tell?: ReportRefusal,
): void {
  const { code, statusCode } = Object.hasOwn(serverRefusals, reason ?? '')
    ? serverRefusals[reason as keyof typeof serverRefusals]
    : badRequest
  const reqId = sendRawProblem(socket, statusCode, code)
  if (reqId !== undefined) tell?.({ reqId, code, statusCode, reason, remoteAddress: socket.remoteAddress })
}

function problemOf(error: FastifyError): Problem {
  const code = Object.hasOwn(codeOfFastifyError, error.code) ? codeOfFastifyError[error.code] : undefined
  if (code !== undefined) return new Problem(code, { cause: error })
  const { statusCode: status = 500 } = error
  if (error instanceof Problem || status < 400 || status > 499) return toProblem(error)
  // Whose words these are is not known, so only the status is handed on; refuse() is for words.
  return error.code?.startsWith('FST_')
    ? new Problem('BAD_REQUEST', { status, cause: error })
    : new Problem('REFUSED', { status, title: STATUS_CODES[status] ?? 'Refused', cause: error })
}

/**
 * Refusals of the service with a 5xx. What leads to them (a breaker, pressure, a drain) has a line of its own, or is
 * the caller's fault.
 */
const ownRefusals = new Set<ErrorCode>([
  'BULKHEAD_FULL',
  'THREADS_FULL',
  'BREAKER_OPEN',
  'SHED',
  'OVERLOADED',
  'DRAINING',
  'TRANSFER_ENCODING_UNSUPPORTED',
])

function logProblem(request: FastifyRequest, problem: Problem): void {
  logOutcome(request, outcomeOf(problem))
}

function outcomeOf(problem: Problem): RequestOutcome {
  const { code, cause, statusCode } = problem
  const detail = cut(problem.detail)
  if (statusCode === 500)
    return { level: 'error', fields: { err: cause ?? problem, code }, msg: 'a request failed by a bug' }
  if (statusCode > 500 && !ownRefusals.has(code))
    return { level: 'warn', fields: { code, detail, why: causeChain(problem) }, msg: 'a request failed' }
  return { level: 'info', fields: { code, detail }, msg: 'a request was refused', refusal: code }
}

function sendProblem({ id }: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  reply.code(problem.statusCode).type('application/problem+json').header('cache-control', 'no-store')
  // What fails before any hook has run has no id yet.
  if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', id)
  if (problem.retryAfterSeconds !== undefined) reply.header('retry-after', String(problem.retryAfterSeconds))
  return reply.send(problemBody(problem, id))
}
