import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { endToEnd } from '../../core/end-to-end.ts'
import { Problem, type Fault } from '../../errors.ts'
import type { Question } from '../../explain/explainer.ts'
import type { Explanation, ListedAggregate } from '../../explain/explanation.ts'
import { explanationText, listText } from '../../explain/explanation-text.ts'
import { parameterNames } from '../routing/path-template.ts'
import { logOutcome, probed } from '../log/request-outcome.ts'
import { checkQuery, deadlineOf } from '../request/input-checks.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import { operatorScope, type OperatorAccess, type OperatorPath } from './operator-scope.ts'

/** The paths of the explanations for `rejectOperatorUrl`. */
export const explainPath: OperatorPath = {
  path: '/explain',
  hasPathsBelow: true,
  serves: 'its explanations',
  fix: 'set HEADWATERS_ENV=production, with which the main port has no explanations',
}

/** The beginning of the name of a query field that has the value of a step. */
const valuePrefix = 'value.'

type Query = Readonly<Record<string, unknown>>
type ExplainRequest = FastifyRequest<{ Params: { aggregate: string } }>

/** Explains the aggregates of a service: in this process, which is an `Explainer`, or in one of its workers. */
export interface ExplanationSource {
  list(): Awaitable<readonly ListedAggregate[]>
  find(name: string): Awaitable<{ readonly route: { readonly url: string } }>
  explain(name: string, question: Question): Promise<Explanation>
}

type Awaitable<T> = T | Promise<T>

/**
 * Adds `GET /explain` and `GET /explain/{aggregate}`.
 *
 * @param source - Returns the source of the present definitions, which a reload replaces.
 */
export function addExplainRoutes(app: FastifyInstance, access: OperatorAccess, source: () => ExplanationSource): void {
  operatorScope(app, access, scope => {
    scope.get('/explain', async (request, reply) => {
      logOutcome(request, probed)
      const aggregates = await source().list()
      return send(request, reply, { aggregates }, () => listText(aggregates))
    })
    allowMethods(scope, '/explain', ['GET'])
    scope.get('/explain/:aggregate', async (request: ExplainRequest, reply) => {
      logOutcome(request, probed)
      const own = source()
      const { aggregate } = request.params
      const { route } = await own.find(aggregate)
      const explanation = await own.explain(aggregate, questionOf(request, parameterNames(route.url)))
      return send(request, reply, explanation, () => explanationText(explanation))
    })
    allowMethods(scope, '/explain/:aggregate', ['GET'])
  })
}

/** Sends JSON, or text to a browser and to a caller that asks for text, unless it asks for JSON. */
function send({ headers }: FastifyRequest, reply: FastifyReply, document: object, text: () => string): FastifyReply {
  const accept = headers.accept?.toLowerCase() ?? ''
  reply.header('vary', 'accept')
  const prefersText = accept.includes('text/plain') || accept.includes('text/html')
  return prefersText && !accept.includes('application/json')
    ? reply.type('text/plain; charset=utf-8').send(text())
    : reply.type('application/json; charset=utf-8').send(JSON.stringify(document))
}

/**
 * Reads the request that is explained from the request for its explanation. A query field with the name of a parameter
 * of the path is that parameter. The headers are those of the request itself.
 */
function questionOf({ query, headers, raw: { url = '' } }: ExplainRequest, params: readonly string[]): Question {
  const faults: Fault[] = []
  checkQuery(url, faults)
  const deadline = deadlineOf(headers['x-request-timeout-ms'], faults)
  const parts = Map.groupBy(Object.entries(query as Query), ([name]) => {
    if (name.startsWith(valuePrefix)) return 'values'
    return params.includes(name) ? 'params' : 'query'
  })
  const partOf = (part: 'params' | 'query') => Object.fromEntries(parts.get(part) ?? [])
  const values = Object.fromEntries(
    (parts.get('values') ?? []).map(([name, value]) => [
      name.slice(valuePrefix.length),
      readValue(name, value, faults),
    ]),
  )
  if (faults.length > 0)
    throw new Problem('INPUT_INVALID', { detail: 'The question cannot be read: see errors.', faults })
  return { input: { params: partOf('params'), query: partOf('query'), headers: endToEnd(headers) }, deadline, values }
}

/** Reads the value of a step, which is JSON. */
function readValue(name: string, text: unknown, faults: Fault[]): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    faults.push({ pointer: `/query/${name}`, reason: 'must be JSON' })
    return undefined
  }
}
