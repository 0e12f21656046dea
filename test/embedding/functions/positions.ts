import { z } from 'zod'
import type { AppOptions } from '../../../src/app.ts'
import type { RunOptions } from '../../../src/fanout/run-options.ts'
import {
  aggregate,
  byCursor,
  byLink,
  byOffset,
  chain,
  defineUpstream,
  env,
  operation,
  type AnyAggregate,
  type CacheStore,
  type Layers,
} from '../../../src/index.ts'
import type { RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { throwing, type Way } from './ways.ts'

/** What a run comes to: `ok` or `partial` of a reply, the code of a problem, or `any` of these. */
export type Outcome = string

/** A service in which one function is not ours. */
export interface Staged {
  readonly aggregate: AnyAggregate
  readonly runtime?: RuntimeOptions
  readonly run?: Partial<RunOptions>
  readonly app?: AppOptions
}

/** Where a function of somebody else's is called, and what is right for each way in which it goes wrong. */
export interface Position {
  readonly stage: (theirs: () => never, origin: string, isSlow: boolean) => Staged
  readonly expected: (way: Way) => Outcome
}

const output = z.object({ ok: z.boolean() })
const fails = (way: Way) => throwing.includes(way)
const route = (isSlow: boolean) => ({ url: '/one', deadline: isSlow ? 300 : 10_000 }) as const

/** An aggregate of one call. */
function asking(
  origin: string,
  isSlow: boolean,
  {
    layers = {},
    path = '/ok',
    cache = false,
    breaker = false,
    balanced = false,
    connectTimeout = 5000,
    timeout = 10_000,
  }: {
    layers?: Layers
    path?: string
    cache?: boolean
    breaker?: boolean
    /** If true, the upstream has two origins, and the first failure ejects one. */
    balanced?: boolean
    connectTimeout?: number
    timeout?: number
  } = {},
): AnyAggregate {
  const up = defineUpstream(
    'up',
    {
      ...(balanced
        ? {
            origins: [origin, origin.replace('127.0.0.1', 'localhost')],
            balance: { ejection: { consecutiveFailures: 1 } },
          }
        : { origin }),
      layers,
      connectTimeout,
      retry: false,
      breaker: breaker ? { minimumCalls: 1 } : false,
      attemptTimeout: timeout,
    },
    {
      ask: operation({ path, output, cache }),
    },
  )
  return aggregate('one', route(isSlow))
    .required('it', () => up.ask())
    .reply(output, ({ it }) => it)
}

const plain = (isSlow: boolean) => aggregate('one', route(isSlow))
const merged = z.boolean()

/** The others of its functions work. */
function storeWith(part: 'get' | 'set' | 'delete' | 'invalidate', theirs: () => never): CacheStore {
  return {
    storage: 'bodies',
    getTimeout: 20,
    get: () => undefined,
    set: () => {},
    delete: () => {},
    invalidate: () => {},
    [part]: theirs,
  }
}

function keyed(idempotencyKey: () => never, origin: string, isSlow: boolean): AnyAggregate {
  const up = defineUpstream(
    'up',
    { origin, attemptTimeout: 10_000 },
    { tell: operation({ method: 'POST', path: '/ok', output, idempotencyKey }) },
  )
  return plain(isSlow)
    .required('it', () => up.tell())
    .reply(output, ({ it }) => it)
}

/** An aggregate that reads pages, of which `next` returns what is not ours. */
function paging(next: (...given: never) => unknown, origin: string, isSlow: boolean): AnyAggregate {
  return plain(isSlow)
    .pages('it', () => asked(origin), { next: next as () => null })
    .reply(merged, () => true)
}

const listed = (way: Way) => (way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'INTERNAL')

export const positions: Readonly<Record<string, Position>> = {
  // Whatever a lookup does, the upstream cannot be reached.
  'RuntimeOptions.lookup': {
    stage: (lookup, origin) => ({
      aggregate: asking(origin.replace('127.0.0.1', 'cats.example'), false, { connectTimeout: 50 }),
      runtime: { lookup },
    }),
    expected: () => 'UPSTREAM_UNREACHABLE',
  },
  // A watcher that throws at once fails the call at which the breaker changed; it cannot do more.
  'RuntimeOptions.onBreakerChange': {
    stage: (onBreakerChange, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { path: '/fail', breaker: true }),
      runtime: { onBreakerChange },
    }),
    expected: way => (way.startsWith('throws') ? 'INTERNAL' : 'UPSTREAM_STATUS'),
  },
  'RuntimeOptions.onOriginChange': {
    stage: (onOriginChange, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { path: '/fail', balanced: true }),
      runtime: { onOriginChange },
    }),
    expected: () => 'UPSTREAM_STATUS',
  },
  'RuntimeOptions.onThreadError': {
    stage: (onThreadError, origin, isSlow) => ({ aggregate: asking(origin, isSlow), runtime: { onThreadError } }),
    // What happens when it is called needs a thread that fails: test/threads/threads.test.ts.
    expected: () => 'ok',
  },
  // A store costs a miss and no call.
  'CacheStore.get': {
    stage: (get, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { cache: true }),
      runtime: { cacheStore: storeWith('get', get) },
    }),
    expected: () => 'ok',
  },
  'CacheStore.set': {
    stage: (set, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { cache: true }),
      runtime: { cacheStore: storeWith('set', set) },
    }),
    expected: () => 'ok',
  },
  'CacheStore.delete': {
    stage: (drop, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { cache: true, path: '/no-store' }),
      runtime: { cacheStore: storeWith('delete', drop) },
    }),
    expected: () => 'ok',
  },
  'CacheStore.invalidate': {
    stage: (invalidate, origin, isSlow) => ({
      aggregate: keyed(() => 'key' as never, origin, isSlow),
      runtime: { cacheStore: storeWith('invalidate', invalidate) },
    }),
    expected: () => 'ok',
  },
  'RuntimeOptions.onCacheStoreFault': {
    stage: (onCacheStoreFault, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { cache: true }),
      runtime: {
        onCacheStoreFault,
        cacheStore: storeWith('get', () => {
          throw new Error('the store is down')
        }),
      },
    }),
    expected: () => 'ok',
  },
  'OperationOptions.idempotencyKey': {
    stage: (key, origin, isSlow) => ({ aggregate: keyed(key, origin, isSlow) }),
    expected: way => (way === 'a text' ? 'ok' : 'INTERNAL'),
  },
  // The factory of a layer, and then the layer itself.
  'Layers.call': {
    stage: (layer, origin, isSlow) => ({ aggregate: asking(origin, isSlow, { layers: { call: [layer] } }) }),
    expected: () => 'INTERNAL',
  },
  'Layers.call, a layer at a call': {
    stage: (layer, origin, isSlow) => ({ aggregate: asking(origin, isSlow, { layers: { call: [() => layer] } }) }),
    expected: listed,
  },
  'Layers.attempt': {
    stage: (layer, origin, isSlow) => ({
      aggregate: asking(origin, false, { layers: { attempt: [() => layer] }, timeout: isSlow ? 150 : 10_000 }),
    }),
    expected: way => (way === 'never settles' ? 'UPSTREAM_TIMEOUT' : 'INTERNAL'),
  },
  'Layers.call, a layer that asks and answers something else': {
    stage: (theirs, origin, isSlow) => ({
      aggregate: asking(origin, isSlow, { layers: { call: [next => call => next(call).then(theirs)] } }),
    }),
    expected: listed,
  },
  // A watcher that fails fails its run like any other bug.
  'RunOptions.onEvent': {
    stage: (onEvent, origin, isSlow) => ({ aggregate: asking(origin, isSlow), run: { onEvent } }),
    expected: way => (fails(way) ? 'INTERNAL' : 'ok'),
  },
  // In an app, a listener that fails changes no reply.
  'AppOptions.onEvent': {
    stage: (onEvent, origin, isSlow) => ({ aggregate: asking(origin, isSlow), app: { onEvent } }),
    expected: () => 'ok',
  },
  // An app passes it to the plugin.
  'HeadwatersOptions.onEvent': {
    stage: (onEvent, origin, isSlow) => ({ aggregate: asking(origin, isSlow), app: { onEvent } }),
    expected: () => 'ok',
  },
  'Builder.required': {
    stage: (step, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', step as () => null)
        .reply(merged, () => true),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'ok'),
  },
  // A bug fails the run even in an optional step; time that is up does not.
  'Builder.optional': {
    stage: (step, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .optional('it', step as () => null, { fallback: null })
        .reply(merged, () => true),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'partial' : 'ok'),
  },
  'Builder.each': {
    stage: (step, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .each('it', step)
        .reply(merged, () => true),
    }),
    expected: listed,
  },
  'Builder.each, with a bad call in the list': {
    stage: (theirs, origin, isSlow) => ({
      aggregate: plain(isSlow)
        .each('it', () => [asked(origin), theirs()])
        .reply(merged, () => true),
    }),
    expected: () => 'INTERNAL',
  },
  'a function of a chain': {
    stage: (theirs, origin, isSlow) => ({
      aggregate: plain(isSlow)
        .each('it', () => [chain(asked(origin), theirs as () => null)])
        .reply(merged, () => true),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'ok'),
  },
  // The list is frozen: a function of a chain may fail its item, and a bug fails the run all the same.
  'a function of a chain whose losses are tolerated': {
    stage: (theirs, origin, isSlow) => ({
      aggregate: plain(isSlow)
        .each('it', () => [chain(asked(origin), theirs as () => null)], { minSuccess: 0, fallback: null })
        .reply(merged, () => true),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'partial' : 'ok'),
  },
  'Builder.firstOf': {
    stage: (step, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .firstOf('it', step)
        .reply(merged, () => true),
    }),
    expected: listed,
  },
  'Builder.pages': {
    stage: (first, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .pages('it', first, { next: () => null })
        .reply(merged, () => true),
    }),
    expected: listed,
  },
  'PagesOptions.next': {
    stage: (next, origin, isSlow) => ({ aggregate: paging(next, origin, isSlow) }),
    expected: way => (way === 'undefined' || way === 'null' ? 'ok' : listed(way)),
  },
  'PagesOptions.next, with a bad call in the list': {
    stage: (theirs, origin, isSlow) => ({ aggregate: paging(() => [theirs()], origin, isSlow) }),
    expected: () => 'INTERNAL',
  },
  'OffsetReaders.total': {
    stage: (total, origin, isSlow) => ({
      aggregate: paging(
        byOffset({ total, count: () => 1 }, () => asked(origin)),
        origin,
        isSlow,
      ),
    }),
    expected: way => (way === 'a negative number' ? 'ok' : way === 'a huge number' ? 'UPSTREAM_PAGE_LOOP' : 'INTERNAL'),
  },
  'OffsetReaders.count': {
    stage: (count, origin, isSlow) => ({
      aggregate: paging(
        byOffset({ total: () => 1, count }, () => asked(origin)),
        origin,
        isSlow,
      ),
    }),
    expected: way => (way === 'a negative number' || way === 'a huge number' ? 'ok' : 'INTERNAL'),
  },
  'the cursor of byCursor': {
    stage: (cursor, origin, isSlow) => ({
      aggregate: paging(
        byCursor(cursor, () => asked(origin)),
        origin,
        isSlow,
      ),
    }),
    expected: () => 'any',
  },
  'the link of byLink': {
    stage: (link, origin, isSlow) => ({
      aggregate: paging(
        byLink(link, () => asked(origin)),
        origin,
        isSlow,
      ),
    }),
    expected: () => 'any',
  },
  'Builder.reply': {
    stage: (merge, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(merged, merge),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'REPLY_INVALID'),
  },
  'InitialBuilder.context': {
    stage: (hook, _origin, isSlow) => ({
      aggregate: (plain(isSlow).context(hook) as ReturnType<typeof plain>)
        .required('it', () => 1)
        .reply(merged, () => true),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'ok'),
  },
  'Replied.onReply': {
    stage: (hook, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(merged, () => true)
        .onReply(hook),
    }),
    expected: way => (fails(way) ? 'INTERNAL' : way === 'never settles' ? 'DEADLINE_EXCEEDED' : 'ok'),
  },
  'Replied.onReply, its headers': {
    stage: (theirs, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(merged, () => true)
        .onReply(() => ({ headers: { 'x-own': theirs() } })),
    }),
    expected: way => (way === 'a text' ? 'ok' : 'INTERNAL'),
  },
  // A counter that fails lets requests through.
  'AppOptions.countRequest': {
    stage: (countRequest, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(merged, () => true),
      app: { countRequest, rateLimit: 1 },
    }),
    expected: () => 'ok',
  },
  // The service is ready without the number of lost lines.
  'AppOptions.lostLogLines': {
    stage: (lostLogLines, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(merged, () => true),
      app: { lostLogLines },
    }),
    expected: () => 'ok',
  },
  // Calls get their token whatever is made of it elsewhere.
  'RuntimeOptions.onToken': {
    stage: (onToken, origin, isSlow) => ({
      aggregate: withToken(origin, isSlow),
      runtime: { onToken, environment: { ID: 'us', SECRET: 'ours' } },
    }),
    expected: () => 'ok',
  },
  // An app hands it to its runtime.
  'AppOptions.onToken': {
    stage: (onToken, origin, isSlow) => ({
      aggregate: withToken(origin, isSlow),
      runtime: { onToken, environment: { ID: 'us', SECRET: 'ours' } },
    }),
    expected: () => 'ok',
  },
  // Functions in schemas: synchronous ones alone are read.
  'a function in a schema of an answer': {
    stage: (theirs, origin, isSlow) => ({ aggregate: read(origin, isSlow, z.unknown().transform(theirs)) }),
    expected: way => (way.startsWith('throws') ? 'INTERNAL' : 'any'),
  },
  'a check in a schema of an answer': {
    stage: (theirs, origin, isSlow) => ({ aggregate: read(origin, isSlow, z.unknown().refine(theirs)) }),
    expected: way => (way.startsWith('throws') ? 'INTERNAL' : 'any'),
  },
  'a function in a schema of the input': {
    stage: (theirs, _origin, isSlow) => ({
      aggregate: aggregate('one', {
        ...route(isSlow),
        query: z.object({ id: z.string().default('1').transform(theirs) }),
      })
        .required('it', () => 1)
        .reply(merged, () => true),
    }),
    expected: way => (way.startsWith('throws') ? 'INTERNAL' : 'any'),
  },
  'a function in a schema of the reply': {
    stage: (theirs, _origin, isSlow) => ({
      aggregate: plain(isSlow)
        .required('it', () => 1)
        .reply(z.boolean().transform(theirs), () => true),
    }),
    expected: way => (way.startsWith('throws') ? 'INTERNAL' : 'any'),
  },
}

function asked(origin: string) {
  return defineUpstream('up', { origin }, { ask: operation({ path: '/ok', output }) }).ask()
}

function withToken(origin: string, isSlow: boolean): AnyAggregate {
  const up = defineUpstream(
    'up',
    {
      origin,
      attemptTimeout: 10_000,
      auth: { oauth2: { tokenUrl: `${origin}/token`, clientId: env('ID'), clientSecret: env('SECRET') } },
    },
    { ask: operation({ path: '/ok', output }) },
  )
  return plain(isSlow)
    .required('it', () => up.ask())
    .reply(output, ({ it }) => it)
}

function read(origin: string, isSlow: boolean, schema: z.ZodType): AnyAggregate {
  const up = defineUpstream(
    'up',
    { origin, retry: false, attemptTimeout: 10_000 },
    { ask: operation({ path: '/ok', output: schema }) },
  )
  return plain(isSlow)
    .required('it', () => up.ask())
    .reply(merged, () => true)
}

/**
 * Ways in which a function of a schema makes a promise, which zod drops: an async one is refused where it is declared.
 */
export const asyncWays: readonly Way[] = [
  'rejects',
  'rejects with undefined',
  'rejects with a proxy that throws',
  'rejects with an error that cannot be read',
  'never settles',
]
