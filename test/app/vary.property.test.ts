import fc from 'fast-check'
import fastify from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { echoUpstream } from '../helpers/echo-upstream.ts'

type Inbound = Readonly<Record<string, string | undefined>>

const plain = ['x-a', 'x-b', 'X-C', 'X-Long-Name']
const names = [...plain, 'Authorization', 'cookie']
const values = ['one', 'two', '']

const text = z.string().optional()
const objectOf = (keys: readonly string[]) => z.object(Object.fromEntries(keys.map(key => [key, text])))
const pick = (given: unknown, keys: readonly string[]) => keys.map(key => (given as Inbound)[key] ?? null)

/** What stands around an object of these names; each lets its values through. */
const wrappers: Readonly<Record<string, (keys: readonly string[]) => z.ZodType>> = {
  object: objectOf,
  strict: keys => z.strictObject(objectOf(keys).shape),
  optional: keys => objectOf(keys).optional(),
  default: keys => objectOf(keys).default({}),
  catch: keys => objectOf(keys).catch({}),
  readonly: keys => objectOf(keys).readonly(),
  transform: keys => objectOf(keys).transform(seen => ({ seen })),
  pipe: keys => objectOf(keys).pipe(z.any()),
  lazy: keys => z.lazy(() => objectOf(keys)),
  union: keys => z.union([z.object({ 'x-never': z.string() }), objectOf(keys)]),
  intersection: keys => z.intersection(objectOf(keys.slice(1)), objectOf(keys.slice(0, 1))),
  record: keys => z.partialRecord(z.enum(keys as [string, ...string[]]), z.string()),
  preprocess: keys => z.preprocess(given => given, objectOf(keys)),
  lists: keys =>
    z.preprocess(
      given => given,
      z.intersection(
        objectOf(keys.slice(1)),
        z.object(Object.fromEntries(keys.slice(0, 1).map(key => [key, z.array(z.string()).optional()]))),
      ),
    ),
  read: keys => z.preprocess(given => pick(given, keys), z.unknown()),
  has: keys => z.preprocess(given => keys.map(key => key.toUpperCase() in (given as object)), z.unknown()),
  loose: keys => z.looseObject(objectOf(keys).shape),
  spread: () => z.preprocess(given => ({ ...(given as object) }), z.unknown()),
  every: () => z.unknown(),
  within: () => z.preprocess(given => ({ given: [given] }), z.object({ given: z.array(z.any()) })),
}

const readers: Readonly<Record<string, (inbound: Inbound, keys: readonly string[]) => unknown>> = {
  get: pick,
  upper: (inbound, keys) =>
    pick(
      inbound,
      keys.map(key => key.toUpperCase()),
    ),
  has: (inbound, keys) => keys.map(key => key in inbound),
  own: (inbound, keys) => keys.map(key => Object.hasOwn(inbound, key)),
  list: inbound =>
    Object.keys(inbound)
      .filter(key => names.some(name => name.toLowerCase() === key))
      .sort(),
  copy: (inbound, keys) => pick({ ...inbound }, keys),
}

const some = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
const schemas = fc.option(fc.record({ wrapper: fc.constantFrom(...Object.keys(wrappers)), keys: some }), {
  nil: undefined,
})
const upstreams = fc.array(
  fc.record({
    forward: fc.oneof(fc.constant([]), some),
    kind: fc.constantFrom('required', 'optional', 'each', 'firstOf', 'context'),
    operation: fc.constantFrom('ask', 'shared', 'kept', 'lost'),
    layer: fc.option(fc.record({ reader: fc.constantFrom(...Object.keys(readers)), keys: some }), { nil: undefined }),
  }),
  { maxLength: 3 },
)
const requests = fc.array(fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...values)), {
  minLength: 2,
  maxLength: 8,
})

interface Loose {
  context(hook: (seen: { readonly ask: (call: unknown) => Promise<unknown> }) => unknown): Loose
  required(name: string, step: () => unknown): Loose
  optional(name: string, step: () => unknown, options: object): Loose
  each(name: string, step: () => unknown): Loose
  firstOf(name: string, step: () => unknown): Loose
  reply(schema: z.ZodType, merge: (seen: object) => unknown): AnyAggregate
}

type Plan = Readonly<{
  schema: typeof schemas extends fc.Arbitrary<infer S> ? S : never
  asks: typeof upstreams extends fc.Arbitrary<infer U> ? U : never
  cacheControl: string
}>

/** Makes an aggregate whose reply holds whatever its schema, its upstreams and their layers have read. */
function aggregateOf({ schema, asks, cacheControl }: Plan, origin: string): AnyAggregate {
  const headers =
    schema === undefined ? undefined : (wrappers[schema.wrapper] as (keys: readonly string[]) => z.ZodType)(schema.keys)
  let builder = aggregate('random', { url: '/random', cacheControl, headers }) as unknown as Loose
  const calls = asks.map(({ forward, operation: name, layer }, index) => {
    const look: CustomLayer = next => call => {
      if (layer === undefined) return next(call)
      const saw = (readers[layer.reader] as typeof pick)(call.inbound, layer.keys)
      return next(call.with({ headers: { 'x-saw': JSON.stringify(saw) } }))
    }
    const upstream = defineUpstream(
      `echo-${index}`,
      { origin, forwardHeaders: forward, retry: false, breaker: false, layers: { call: [look] } },
      {
        ask: operation({ path: '/ask', output: z.unknown() }),
        shared: operation({ path: '/shared', output: z.unknown(), coalesce: true }),
        kept: operation({ path: '/kept', output: z.unknown(), cache: { ttl: 60_000 } }),
        lost: operation({ path: '/lost', output: z.number() }),
      },
    )
    return { kind: asks[index]?.kind, isLost: name === 'lost', call: () => upstream[name as 'ask']() }
  })
  const early = calls.filter(({ kind }) => kind === 'context')
  if (early.length > 0) {
    builder = builder.context(async ({ ask }) => {
      const told = []
      for (const { call } of early) told.push(await ask(call()).catch(() => 'lost'))
      return { told }
    })
  }
  for (const [index, { kind, isLost, call }] of calls.entries()) {
    if (kind === 'context') continue
    if (isLost || kind === 'optional') builder = builder.optional(`s${index}`, call, { fallback: 'lost' })
    else if (kind === 'each' || kind === 'firstOf') builder = builder[kind](`s${index}`, () => [call()])
    else builder = builder.required(`s${index}`, call)
  }
  return builder.reply(z.unknown(), seen => ({ ...seen }))
}

test("a cache that obeys vary never serves a reply that was made with another caller's headers", async t => {
  const { origin } = await echoUpstream(t)
  let kept = 0
  await fc.assert(
    fc.asyncProperty(
      schemas,
      upstreams,
      fc.constantFrom('max-age=60', 'public, max-age=60', 'private, max-age=60'),
      requests,
      async (schema, asks, cacheControl, sent) => {
        const isClosed = schema !== undefined && !['read', 'has', 'spread', 'every', 'within'].includes(schema.wrapper)
        const namesCredentials = isClosed && schema.keys.some(key => ['Authorization', 'cookie'].includes(key))
        fc.pre(cacheControl.startsWith('private') || !namesCredentials)
        const app = fastify()
        try {
          await app.register(headwaters, { aggregates: [aggregateOf({ schema, asks, cacheControl }, origin)] })
          const answers = await Promise.all(
            sent.map(async given => {
              const headers = Object.fromEntries(
                Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]),
              )
              const {
                statusCode,
                headers: { vary, 'cache-control': control },
                body,
              } = await app.inject({ url: '/random', headers: { 'x-request-id': 'same', ...headers } })
              if (statusCode !== 200) throw new Error(`${statusCode}: ${body}`)
              return {
                headers,
                vary: String(vary).split(', '),
                isKept: control !== 'no-store',
                data: JSON.stringify((JSON.parse(body) as { data: unknown }).data),
              }
            }),
          )
          for (const one of answers.filter(({ isKept }) => isKept)) {
            kept++
            for (const other of answers) {
              const fits = one.vary.every(name => one.headers[name] === other.headers[name])
              if (fits && one.data !== other.data)
                throw new Error(
                  `vary: ${one.vary.join(', ')} gives ${JSON.stringify(other.headers)} what was made for ` +
                    `${JSON.stringify(one.headers)}: ${one.data} for ${other.data}`,
                )
            }
            const credentials = ['authorization', 'cookie'].filter(
              name => one.headers[name] !== undefined && one.vary.includes(name),
            )
            if (!cacheControl.startsWith('private') && credentials.length > 0)
              throw new Error(`a shared cache may keep what was made with ${credentials.join()}`)
          }
        } finally {
          await app.close()
        }
      },
    ),
    { numRuns: 100 },
  )
  t.ok(kept > 50, `${kept} replies could be kept`)
})
