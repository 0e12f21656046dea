import type { FastifyRequest } from 'fastify'
import { Problem, toProblem, UpstreamError } from '../../errors.ts'
import { shownProblem } from '../../fanout/shown-problem.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { markLogged } from '../log/failure-outcome.ts'

export { shownProblem } from '../../fanout/shown-problem.ts'

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
