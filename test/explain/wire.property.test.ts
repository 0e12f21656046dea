import fc from 'fast-check'
import { createServer } from 'node:http'
import tap, { test, type Test } from 'tap'
import { z } from 'zod'
import { explain } from '../../src/explain/explain.ts'
import type { ExplainedCall, Explanation } from '../../src/explain/explanation.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { aggregateOf, plans } from '../helpers/random-aggregate.ts'
import { serveHttp } from '../helpers/serve-http.ts'

tap.setTimeout(120_000)

/** Headers that HTTP itself adds. */
const ofHttp = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

/** Serves an upstream that answers everything, and keeps what it received. */
async function recordingUpstream(t: Test) {
  const received: string[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', rawHeaders } = request
    const names = rawHeaders.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase())
    received.push(shown(method, url, names))
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('"answer"'))
  })
  return { origin: await serveHttp(t, server), received }
}

function shown(method: string, path: string, names: readonly string[]): string {
  return `${method} ${path} ${names
    .filter(name => !ofHttp.has(name))
    .sort()
    .join(' ')}`
}

/** Returns the calls of an explanation as an upstream would receive them. */
function explainedCalls({ steps }: Explanation): string[] {
  const all = ({ method, path, headers, times, later = [] }: ExplainedCall): string[] => {
    const one = [
      shown(
        method,
        path,
        headers.map(({ name }) => name),
      ),
      ...later.flatMap(all),
    ]
    return Array.from({ length: times as number }, () => one).flat()
  }
  return steps.flatMap(({ calls }) => calls.flatMap(all)).sort()
}

/** Explains an aggregate and runs it. Returns the calls of both, sorted. */
async function both(each: AnyAggregate, input: RawInput, upstream: Awaited<ReturnType<typeof recordingUpstream>>) {
  const overrides = { oracle: { origin: upstream.origin }, api: { origin: `${upstream.origin}/base` } }
  upstream.received.length = 0
  const runtime = createRuntime({ overrides, environment: { SECRET: 'REDACTED' } })
  const explanation = await explain(each, input, { overrides, variableOf: () => undefined, mostCalls: 100 })
  const silent = upstream.received.length === 0
  try {
    await fanOut(each, input, { runtime })
  } finally {
    await runtime.close()
  }
  return { silent, explained: explainedCalls(explanation), sent: upstream.received.toSorted() }
}

const kinds = ['required', 'optional', 'each', 'plain', 'asking', 'chains'] as const

test('the calls that are explained for a random aggregate are those that a run sends', async t => {
  const upstream = await recordingUpstream(t)
  await fc.assert(
    fc.asyncProperty(plans(1, kinds), async steps => {
      const { silent, explained, sent } = await both(aggregateOf(steps), {}, upstream)
      return silent && explained.join('\n') === sent.join('\n')
    }),
    { numRuns: 40 },
  )
  t.pass('each random aggregate sent the calls that were explained')
})

/** Options of an upstream that change the head of its requests. */
const options: fc.Arbitrary<Omit<UpstreamOptions, 'origin'>> = fc.record(
  {
    auth: fc.constantFrom(
      { bearer: env('SECRET') },
      { header: 'X-Api-Key', secret: env('SECRET') },
      { query: 'api_key', secret: env('SECRET') },
    ),
    forwardHeaders: fc.subarray(['accept-language', 'x-tenant', 'authorization2']),
    headers: fc.constantFrom({ 'User-Agent': 'cats/1.0' }, { Accept: 'text/plain', 'x-own': 'a' }),
    decompress: fc.boolean(),
    traceContext: fc.boolean(),
  },
  { requiredKeys: [] },
)

const text = fc.string({
  minLength: 1,
  maxLength: 8,
  unit: fc.constantFrom('a', ' ', 'é', '+', '&', '?', '#', '%', '"'),
})
const call = fc.record({
  id: text.filter(each => each.trim() !== ''),
  query: fc.record({ q: text, n: fc.integer(), list: fc.array(text, { maxLength: 3 }) }, { requiredKeys: [] }),
  headers: fc.record({ 'x-Call': fc.constant('v'), 'x-other': fc.constant('w') }, { requiredKeys: [] }),
  hasBody: fc.boolean(),
  kind: fc.constantFrom('get', 'post', 'keyed', 'form', 'multipart', 'bytes', 'text'),
})

const Id = z.object({ id: z.string() })
const Query = z.object({ q: z.string().optional(), n: z.number().optional(), list: z.array(z.string()).optional() })
const Headers = z.object({ 'x-Call': z.string().optional(), 'x-other': z.string().optional() })
const output = z.string()

/** Declares an upstream with one operation of each kind. */
function apiOf(given: Omit<UpstreamOptions, 'origin'>) {
  const common = { params: Id, query: Query, headers: Headers, output } as const
  const Body = z.object({ a: z.string() }).optional()
  return defineUpstream(
    'api',
    { origin: 'https://api.example', retry: false, ...given },
    {
      get: operation({ ...common, path: '/get/{id}' }),
      post: operation({ ...common, method: 'POST', path: '/post/({id})', body: Body }),
      keyed: operation({ ...common, method: 'POST', path: '/keyed/{id}', body: Body, idempotencyKey: () => 'key' }),
      form: operation({ ...common, method: 'PUT', path: '/form/{id}', body: Body, bodyType: 'form' }),
      multipart: operation({ ...common, method: 'POST', path: '/parts/{id}', body: Body, bodyType: 'multipart' }),
      bytes: operation({
        ...common,
        method: 'PUT',
        path: '/bytes/{id}',
        body: z.instanceof(Uint8Array).optional(),
        bodyType: 'bytes',
      }),
      text: operation({
        ...common,
        method: 'PATCH',
        path: '/text/{id}',
        body: z.string().optional(),
        bodyType: 'text',
      }),
    },
  )
}

const bodies = { bytes: new Uint8Array([1]), text: 'a' }

test('method, target and header names of a random call are those that an upstream receives', async t => {
  const upstream = await recordingUpstream(t)
  const inbound = fc.subarray([
    ['Accept-Language', 'en'],
    ['x-tenant', 'a'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['connection', 'x-tenant'],
  ] as const)
  await fc.assert(
    fc.asyncProperty(options, fc.array(call, { minLength: 1, maxLength: 4 }), inbound, async (given, calls, pairs) => {
      const api = apiOf(given)
      const each = aggregate('each', { url: '/each' })
        .each('calls', () =>
          calls.map(({ id, query, headers, hasBody, kind }) => {
            const body = hasBody && kind !== 'get' ? (bodies[kind as 'text'] ?? { a: 'b' }) : undefined
            return api[kind]({ id, ...query, headers, ...(body !== undefined && { body: body as never }) })
          }),
        )
        .reply(z.unknown(), () => 1)
      const { silent, explained, sent } = await both(each, { headers: Object.fromEntries(pairs) }, upstream)
      if (!silent || explained.join('\n') !== sent.join('\n')) t.same(explained, sent)
      return silent && explained.join('\n') === sent.join('\n')
    }),
    { numRuns: 60 },
  )
  t.pass('each random call was received as it was explained')
})
