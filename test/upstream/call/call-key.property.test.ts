import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { cacheKey } from '../../../src/upstream/policies/cache/cache-key.ts'
import { keyOf, requestHeaders } from '../../../src/upstream/transport/dispatch.ts'
import { testRun } from '../../helpers/call.ts'

const search = {
  path: '/search/{shelf}',
  params: z.object({ shelf: z.string() }),
  body: z.string().optional(),
  headers: z.object({ 'x-tenant': z.string().optional(), 'x-b': z.string().optional() }),
  output: z.unknown(),
  cache: true,
} as const
const shop = defineUpstream(
  'shop',
  { origin: 'http://127.0.0.1:9', forwardHeaders: ['x-tenant', 'accept-language'] },
  {
    post: operation({ ...search, method: 'POST', safe: true }),
    query: operation({ ...search, method: 'QUERY' }),
  },
)

/** Texts that look like parts of a key, and texts on both sides of the length from which a body is hashed. */
const text = fc.oneof(
  fc.constantFrom('', 'a', 'null', '"', '","', '["a"]', 'x-tenant', 'a'.repeat(254), 'a'.repeat(300), 'b'.repeat(300)),
  fc.string({ maxLength: 4 }),
)
const latin = text.filter(each => /^[\x20-\x7e]*$/.test(each))
const shelf = fc.constantFrom('a', 'b', 'null')

interface Input {
  readonly kind: 'post' | 'query'
  readonly shelf: string
  readonly body?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly forwarded: Readonly<Record<string, string>>
}

const input: fc.Arbitrary<Input> = fc.record({
  kind: fc.constantFrom('post' as const, 'query' as const),
  shelf,
  body: fc.option(text, { nil: undefined }),
  headers: fc.record({ 'x-tenant': latin, 'x-b': latin }, { requiredKeys: [] }),
  forwarded: fc.record({ 'x-tenant': latin, 'accept-language': latin }, { requiredKeys: [] }),
})

const keyInCache = cacheKey(['http://127.0.0.1:9', ''], keyOf)
const headersOf = requestHeaders()

interface Sent {
  readonly keys: readonly string[]
  /** The request, as the upstream receives it. */
  readonly request: string
}

function sent({ kind, forwarded, ...given }: Input): Sent {
  const call = testRun({ headers: forwarded }).ask(shop[kind](given))
  const list = headersOf(call)
  const headers = list.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${list[at + 1]}`] : [])).sort()
  return { keys: [keyOf(call), keyInCache(call)], request: JSON.stringify([kind, call.path, call.body, headers]) }
}

test('calls that send different requests have different keys, whichever part differs', t => {
  let different = 0
  // The second call differs from the first in some parts only.
  const parts = fc.array(fc.constantFrom('kind', 'shelf', 'body', 'headers', 'forwarded'), { maxLength: 2 })
  fc.assert(
    fc.property(input, input, parts, (one, other, differing) => {
      const changed = Object.fromEntries(differing.map(part => [part, other[part as keyof Input]]))
      const [first, second] = [sent(one), sent({ ...one, ...changed })]
      if (first.request === second.request) return
      different++
      for (const at of [0, 1])
        if (first.keys[at] === second.keys[at]) throw new Error(`one key for two requests: ${first.keys[at]}`)
    }),
    { numRuns: 5000 },
  )
  t.ok(different > 1000, `${different} of 5000 pairs were different`)
  t.end()
})

test('calls with equal inputs have equal keys, in whatever order their headers are', t => {
  fc.assert(
    fc.property(input, one => {
      const reversed = Object.fromEntries(Object.entries(one.headers).reverse())
      t.strictSame(sent({ ...one, headers: reversed }), sent(one))
    }),
    { numRuns: 300 },
  )
  t.end()
})

const { plain, withHeaders } = defineUpstream(
  'files',
  { origin: 'http://127.0.0.1:9' },
  {
    plain: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
    withHeaders: operation({
      path: '/{id}',
      params: z.object({ id: z.string() }),
      headers: z.object({ 'x-tenant': z.string().optional() }),
      output: z.unknown(),
    }),
  },
)

function outcomeOf(create: () => { readonly path: string }): string {
  try {
    return create().path
  } catch (error) {
    return String(error).replace('withHeaders', 'plain')
  }
}

test('headers in the input change nothing about the path of a call', t => {
  const hostile = fc.constantFrom('', '..', '%2e', '/', 'a/b', '\ud800', 'maine coon', 'headers', 'a'.repeat(20_000))
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: 'binary', maxLength: 6 })), latin, (id, tenant) => {
      t.equal(
        outcomeOf(() => withHeaders({ id, headers: { 'x-tenant': tenant } })),
        outcomeOf(() => plain({ id })),
      )
    }),
    { numRuns: 500 },
  )
  t.end()
})
