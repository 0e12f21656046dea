import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { STATUS_CODES } from '../../core/node-http.ts'
import { Problem, toProblem, type ErrorCode } from '../../errors.ts'
import { logProblem } from '../log/failure-outcome.ts'
import { countRefusal } from '../metrics/request-counter.ts'
import { shownError } from '../reply/shown-problem.ts'
import { sendProblem } from './problem-body.ts'

/** The codes of Fastify's own refusals. */
const codeOfFastifyError: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BAD_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BAD_REQUEST',
  FST_ERR_BAD_URL: 'BAD_REQUEST',
}

/** Replies to a request without a route, or calls `done` with a problem. Returns false if it did neither. */
export type ReplyWithoutRoute = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (problem?: Error | null) => void,
) => boolean

/**
 * Replies to every failure with `application/problem+json`, and logs it.
 *
 * @param replyWithoutRoute Replies to requests without a route that must not get 404. @default 404 for every request
 *   without a route
 */
export function handleErrorsAsProblems(app: FastifyInstance, replyWithoutRoute?: ReplyWithoutRoute): void {
  app.setErrorHandler(errorHandler)
  // Fastify would read the body before it calls the not-found handler.
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (!request.is404) done(null, payload)
    else if (replyWithoutRoute?.(request, reply, done) !== true) done(new Problem('NOT_FOUND'))
  })
  app.setNotFoundHandler((request, reply) => {
    const problem = new Problem('NOT_FOUND')
    logProblem(request, reply, problem)
    countRefusal(reply, problem.code)
    return sendProblem(request, reply, problem)
  })
}

/** Replies to one failure. Fastify also calls it for errors before routing. */
export function errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  logProblem(request, reply, problem)
  countRefusal(reply, problem.code)
  return sendProblem(request, reply, shownError(request, problem))
}

/** Returns the problem for an error of a route. */
export function problemOf(error: FastifyError): Problem {
  const code = Object.hasOwn(codeOfFastifyError, error.code) ? codeOfFastifyError[error.code] : undefined
  if (code !== undefined) return new Problem(code, { cause: error })
  if (error.code === 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE')
    return new Problem('BAD_REQUEST', {
      detail: 'QUERY requires the header content-type: application/json.',
      cause: error,
    })
  const { statusCode: status = 500 } = error
  if (error instanceof Problem || status < 400 || status > 499) return toProblem(error)
  // The message may contain internal details, so only the status is sent. An aggregate can send a message with
  // `refuse()`.
  return error.code?.startsWith('FST_')
    ? new Problem('BAD_REQUEST', { status, cause: error })
    : new Problem('REFUSED', { status, title: STATUS_CODES[status] ?? 'Refused', cause: error })
}
