import { errors, Problem, UpstreamError, type ErrorCode } from '../errors.ts'
import { statesOf } from './shown-sources.ts'
import type { SourcesLevel } from './sources-level.ts'

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
