import { test, type Test } from 'tap'
import { hostileUpstream } from '../helpers/hostile-upstream.ts'
import type { ProblemBody } from '../helpers/problem.ts'
import { serveApp, type Got } from '../helpers/served-app.ts'
import {
  committed,
  faultsOf,
  operations,
  resolved,
  responseOf,
  type Document,
  type Media,
  type Operation,
} from './helpers/document.ts'

const document = committed()

/** The request that the examples of an operation make. */
function request(
  path: string,
  method: string,
  { parameters = [], requestBody }: Operation,
): { readonly url: string; readonly init: RequestInit } {
  const given = parameters.map(each => resolved(document, each)).filter(({ example }) => example !== undefined)
  const query = new URLSearchParams(
    given.filter(each => each.in === 'query').map(({ name, example }): [string, string] => [name, String(example)]),
  )
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(given.find(each => each.in === 'path' && each.name === name)?.example)),
  )
  const body = requestBody?.content['application/json']?.example
  return {
    url: query.size === 0 ? url : `${url}?${query.toString()}`,
    init: {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    },
  }
}

/** Asserts that an answer is what the document says of its status. */
function isDocumented(t: Test, operation: Operation, { status, headers, body }: Got<unknown>): void {
  const response = responseOf(document, operation, status)
  const type = (headers.get('content-type') ?? '').split(';')[0] as string
  t.ok(response.content?.[type], `${status} as ${type} is documented`)
  t.equal(faultsOf(document, response.content?.[type]?.schema ?? {}, body), undefined, 'the body fits its schema')
  // What is kept is not in an aggregate's declaration, so that header is documented everywhere, and these aggregates
  // keep nothing.
  for (const name of Object.keys(response.headers ?? {}))
    t.equal(headers.has(name), name !== 'cache-status', `${name} is sent`)
}

const find = (id: string) =>
  operations(document).find(({ operation }) => operation.operationId === id) as {
    path: string
    method: string
    operation: Operation
  }

test('the example request of every operation gets 200 and a body that fits its schema', async t => {
  const { get } = await serveApp(t)
  for (const { path, method, operation } of operations(document)) {
    const { url, init } = request(path, method, operation)
    t.notMatch(url, /undefined/)
    const got = await get<unknown>(url, init)
    t.equal(got.status, 200, `${method} ${url}`)
    isDocumented(t, operation, got)
  }
})

test('the example of every reply fits its schema, and has the fields of a real one', async t => {
  const { get } = await serveApp(t, { lostLogLines: () => 0 })
  for (const { path, method, operation } of operations(document)) {
    for (const status of Object.keys(operation.responses)) {
      for (const { schema, example, examples } of Object.values(
        resolved(document, operation.responses[status] as Document['paths'][string][string]['responses'][string])
          .content ?? {},
      )) {
        const values =
          examples === undefined ? [example] : Object.values(examples).map(each => resolved(document, each).value)
        for (const value of values) {
          t.not(value, undefined, `${path} ${status} has an example`)
          t.equal(faultsOf(document, schema, value), undefined, `${path} ${status}`)
        }
      }
    }
    const example = operation.responses['200']?.content?.['application/json']?.example as {
      readonly data?: object
      readonly sources?: object
    }
    const { url, init } = request(path, method, operation)
    const { body } = await get<typeof example>(url, init)
    t.same(Object.keys(example), Object.keys(body))
    t.same(Object.keys(example.data ?? {}), Object.keys(body.data ?? {}))
    t.same(Object.keys(example.sources ?? {}), Object.keys(body.sources ?? {}))
  }
})

/** The media types of streams, and the text in front of an event. */
const streamTypes = { 'application/x-ndjson': '', 'application/jsonl': '', 'text/event-stream': 'data: ' }

test('the example request of every operation with calls gets a stream whose events fit their schema, in each form', async t => {
  const { origin } = await serveApp(t)
  for (const { path, method, operation } of operations(document).filter(({ path }) => isStreamed(path))) {
    const { url, init } = request(path, method, operation)
    for (const [accept, start] of Object.entries(streamTypes)) {
      const response = await fetch(origin + url, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), accept },
      })
      t.match({ status: response.status, type: response.headers.get('content-type') }, { status: 200, type: accept })
      const { schema, examples = {} } = mediaOf(operation, accept)
      const lines = (await response.text()).split('\n').filter(line => line !== '' && line.startsWith(start))
      const events = lines.map(line => JSON.parse(line.slice(start.length)) as { readonly event: string })
      for (const event of events) t.equal(faultsOf(document, schema, event), undefined, `${path} ${event.event}`)
      t.equal(events.at(0)?.event, 'plan')
      t.equal(events.at(-1)?.event, 'reply')
      const kinds = new Set(events.map(({ event }) => event))
      t.same(
        Object.keys(examples).filter(kind => kind !== 'snapshot' && !kinds.has(kind)),
        [],
        'each example occurs',
      )
      t.match(faultsOf(document, schema, { ...events[0], run: 1 }), /\w/, 'and a wrong event does not fit')
      t.match(faultsOf(document, schema, { event: 'other' }), /\w/)
    }
  }
})

function mediaOf({ responses }: Operation, type: string): Media {
  const media = responses['200']?.content?.[type]
  if (media === undefined) throw new Error(`the document has no ${type}`)
  return media
}

function isStreamed(path: string): boolean {
  return !path.startsWith('/health/')
}

test('a stream of a run that fails ends with a problem that fits its schema', async t => {
  const { origin } = await serveApp(t, { overrides: { 'catfact-ninja': { off: true } } })
  const accept = 'application/x-ndjson'
  const response = await fetch(`${origin}/v1/cat-facts`, { headers: { accept } })
  const { schema } = mediaOf(find('catFacts').operation, accept)
  const events = (await response.text())
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as object)
  for (const event of events) t.equal(faultsOf(document, schema, event), undefined)
  t.match(events.at(-1), { event: 'problem', status: 503, body: { code: 'UPSTREAM_OFF' } })
})

test('the schemas of the document reject a reply that does not fit', async t => {
  const { operation } = find('catFacts')
  const { schema, example } = operation.responses['200']?.content?.['application/json'] ?? {}
  const wrong = [
    { complete: 'yes' },
    { sources: {} },
    { data: { facts: [{}], picture: null } },
    {
      sources: {
        ...(example as { sources: object }).sources,
        meow: { state: 'fallback', start: 0, ms: 1, attempts: 1 },
      },
    },
  ]
  for (const part of wrong)
    t.match(faultsOf(document, schema as object, { ...(example as object), ...part }), /\w/, JSON.stringify(part))
})

const refusals: readonly (readonly [id: string, status: number, code: string, path: string, init: RequestInit])[] = [
  ['catFacts', 400, 'INPUT_INVALID', '/v1/cat-facts?count=0&max_length=x', {}],
  ['catFacts', 400, 'INPUT_INVALID', '/v1/cat-facts', { headers: { 'x-request-timeout-ms': 'soon' } }],
  ['catFacts', 406, 'NOT_ACCEPTABLE', '/v1/cat-facts', { headers: { accept: 'image/png' } }],
  ['breed', 404, 'REFUSED', '/v1/breeds/dachshund', {}],
  [
    'postcard',
    400,
    'BAD_REQUEST',
    '/v1/postcards',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' },
  ],
  [
    'postcard',
    413,
    'PAYLOAD_TOO_LARGE',
    '/v1/postcards',
    { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(1024 * 1024)}"` },
  ],
  [
    'postcard',
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    '/v1/postcards',
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hello' },
  ],
]

test('refusals are as the document says for their status', async t => {
  const { get } = await serveApp(t)
  for (const [id, status, code, path, init] of refusals) {
    const got = await get<ProblemBody>(path, init)
    t.match(got, { status, body: { code } }, path)
    isDocumented(t, find(id).operation, got)
  }
})

test('failures of upstreams are as the document says for their status', async t => {
  const origin = (kind: 'down' | 'takes the request and says nothing') =>
    hostileUpstream(t, 'catfact-ninja', kind).then(upstream => ({ origin: upstream.origin }))
  const cases = [
    [502, 'UPSTREAM_UNREACHABLE', await origin('down')],
    [503, 'UPSTREAM_OFF', { off: true }],
    [504, 'UPSTREAM_TIMEOUT', { ...(await origin('takes the request and says nothing')), attemptTimeout: 50 }],
  ] as const
  for (const [status, code, override] of cases) {
    const { get } = await serveApp(t, { overrides: { 'catfact-ninja': override } })
    const got = await get<ProblemBody>('/v1/cat-facts')
    t.match(got, { status, body: { code, sources: { ninja: { state: 'failed', code } } } })
    isDocumented(t, find('catFacts').operation, got)
  }
})

test('a partial reply is as documented', async t => {
  const { get } = await serveApp(t, { overrides: { meowfacts: { off: true } } })
  const got = await get<{ readonly complete: boolean }>('/v1/cat-facts')
  t.match(got, {
    status: 200,
    body: { complete: false, sources: { meow: { state: 'fallback', code: 'UPSTREAM_OFF' } } },
  })
  isDocumented(t, find('catFacts').operation, got)
})
