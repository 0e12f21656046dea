import type { FastifyRequest } from 'fastify'
import { errors, Problem, toProblem, UpstreamError, type ErrorCode } from '../../errors.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { markLogged } from '../log/failure-outcome.ts'
import { statesOf } from './shown-sources.ts'

/** The key of the level of a request whose caller does not see all sources. */
const levelKey = Symbol('headwaters.sources')

type RequestWithLevel = FastifyRequest & { [levelKey]?: SourcesLevel }

/** Stores what the caller of a request sees of the sources. Without a stored level the caller sees everything. */
export function setSourcesLevel(request: FastifyRequest, level: SourcesLevel): void {
  if (level !== 'full') (request as RequestWithLevel)[levelKey] = level
}

/** Problems in the form that their callers may see. An app's error handler may pass them on to an outer one. */
const shown = new WeakSet<Problem>()

/**
 * Returns the form of an error that the caller of a request may see. It is the error itself if the caller sees all
 * sources. Otherwise the text about an upstream does not name it, and the problem has the states of the steps, or no
 * sources. The cause stays, since it is not sent.
 */
export function shownError<E>(request: FastifyRequest, error: E): E | Problem {
  const level = (request as RequestWithLevel)[levelKey]
  if (level === undefined) return error
  if (error instanceof UpstreamError) return shownProblem(toProblem(error), level)
  if (!(error instanceof Problem) || shown.has(error)) return error
  const other = shownProblem(error, level)
  markLogged(request, error, other)
  shown.add(other)
  return other
}

/** Returns the form of a problem that callers see who see a part of the sources. */
export function shownProblem(problem: Problem, level: SourcesLevel): Problem {
  const { code, statusCode: status, title, type, authorCode, headers, faults, retryAfterSeconds, cause } = problem
  const { sources } = problem
  if (level === 'full' || (sources === undefined && !(cause instanceof UpstreamError))) return problem
  return new Problem(code, {
    status,
    title,
    detail: cause instanceof UpstreamError ? detailOf(problem, cause, level) : problem.detail,
    type,
    authorCode,
    headers,
    cause,
    ...(faults && { faults }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(level === 'states' &&
      sources !== undefined && { sources: statesOf(sources as Parameters<typeof statesOf>[0]) }),
  })
}

/** Codes of steps. Any other code of a failure is that of a call, or of the run. */
const stepCodes: ReadonlySet<ErrorCode> = new Set([
  'STEP_TIMEOUT',
  'TOO_MANY_ITEMS',
  'UPSTREAM_TOO_MANY_ITEMS',
  'THREADS_FULL',
  'SHED',
])

/** Returns the detail without the name of the upstream, and with the name of the step only for the level `states`. */
function detailOf({ code, detail, sources }: Problem, { message, source }: UpstreamError, level: SourcesLevel): string {
  const withStep = level === 'states'
  const isOfStep = stepCodes.has(code)
  const subject =
    code === 'DEADLINE_EXCEEDED'
      ? 'the request'
      : !isOfStep
        ? 'an upstream'
        : withStep && sources !== undefined && Object.hasOwn(sources, source)
          ? `step '${source}'`
          : 'a step'
  // The text in front of the message names the step.
  const step = withStep && detail.endsWith(`${message}.`) ? detail.slice(0, -message.length - 1) : ''
  const text = `${step}${subject} ${errors[code].text}.`
  return text.charAt(0).toUpperCase() + text.slice(1)
}
