import type { z } from 'zod'
import type { BatchOffer, Offered } from '../../batch/offer.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { exampleOf, replyExample } from './example.ts'

/** The examples of a batch. A field is undefined if no call has an example of its input and its answer. */
export interface BatchExample {
  readonly request: object | undefined
  readonly answer: object | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** The largest number of calls of the example. */
const mostCalls = 3

/** Returns a batch of calls whose schemas have examples, and its reply. */
export function batchExample(offer: BatchOffer, level: SourcesLevel): BatchExample {
  const calls: object[] = []
  const results: object[] = []
  for (const offered of offer.values()) {
    const input = inputOf(offered)
    const answer = answerOf(offered, level)
    if (input === undefined || answer === undefined || calls.length === mostCalls) continue
    const id = String.fromCodePoint('a'.charCodeAt(0) + calls.length)
    calls.push({ id, operation: offered.name, ...(Object.keys(input).length > 0 && { input }) })
    results.push({ id, operation: offered.name, state: 'ok', ...answer })
  }
  if (calls.length === 0) return { request: undefined, answer: undefined }
  return { request: { calls }, answer: { results, complete: true } }
}

/** Returns the input of the example; undefined if a field that is needed has no example. */
function inputOf({ aggregate, spec }: Offered): Fields | undefined {
  if (aggregate === undefined) {
    const { params, query, body, headers, keyBatch } = spec
    if (keyBatch !== undefined || headers !== undefined) return undefined
    const parts = [fieldsExample(params), fieldsExample(query), wholeExample('body', body)]
    return parts.includes(undefined) ? undefined : (Object.assign({}, ...parts) as Fields)
  }
  const { params, query, body } = aggregate.route
  const parts = {
    params: fieldsExample(params),
    query: fieldsExample(query),
    ...(wholeExample('body', body) ?? { body: undefined }),
  }
  const entries = Object.entries(parts)
  if (entries.some(([, part]) => part === undefined)) return undefined
  return Object.fromEntries(entries.filter(([name, part]) => name === 'body' || Object.keys(part as object).length > 0))
}

function wholeExample(name: string, schema: z.ZodType | undefined): Fields | undefined {
  if (schema === undefined) return {}
  const example = exampleOf(schema)
  return example === undefined ? undefined : { [name]: example }
}

/** Returns the examples of the fields of an object; undefined if a field that is needed has none. */
function fieldsExample(schema: z.ZodType | undefined): Fields | undefined {
  if (schema === undefined) return {}
  const own = exampleOf(schema)
  if (own !== undefined) return own as Fields
  const { shape } = schema._zod.def as { readonly shape?: Readonly<Record<string, z.ZodType>> }
  if (shape === undefined) return undefined
  const fields = Object.entries(shape).map(([name, field]) => [name, exampleOf(field), field._zod.optin] as const)
  if (fields.some(([, example, optin]) => example === undefined && optin !== 'optional')) return undefined
  return Object.fromEntries(
    fields.filter(([, example]) => example !== undefined).map(([name, example]) => [name, example]),
  )
}

/** Returns the fields of the result beside the id, the operation and the state; undefined without an example. */
function answerOf({ aggregate, spec }: Offered, service: SourcesLevel): Fields | undefined {
  if (aggregate === undefined) {
    const data = spec.responses === undefined && spec.responseHeaders === undefined ? exampleOf(spec.output) : undefined
    return data === undefined ? undefined : { status: 200, data }
  }
  const level = aggregate.route.sources ?? service
  const route = { ...aggregate.route, envelope: true }
  const reply = replyExample({ ...aggregate, route }, level) as Fields | undefined
  return reply && { status: aggregate.statuses[0], ...reply }
}
