import { hash } from 'node:crypto'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../../src/core/abort.ts'
import type { LiveCall } from '../../../../src/upstream/call/live-call.ts'
import type { Entry, Lookup, LookupResult } from '../../../../src/upstream/policies/cache/entry.ts'
import type { ResponseHeaders } from '../../../../src/upstream/transport/response-headers.ts'
import { entryOf } from '../../../../src/upstream/policies/cache/entry-of.ts'
import { createMemoryStore } from '../../../../src/upstream/policies/cache/memory-store.ts'
import { createCacheAdapter as adapterOf } from '../../../../src/upstream/policies/cache/cache-adapter.ts'
import type { CacheStore } from '../../../../src/upstream/policies/cache/store.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore } from '../../../helpers/far-store.ts'
import { collected } from '../../../helpers/collected.ts'
import { turn } from '../../../helpers/turn.ts'
import { until } from '../../../helpers/until.ts'

const cats = defineUpstream(
  'cats',
  { origin: 'http://127.0.0.1:9' },
  {
    born: operation({
      path: '/born',
      output: z.object({ at: z.string().transform(text => new Date(text)) }),
      cache: true,
    }),
    bytes: operation({ path: '/bytes', output: z.instanceof(Uint8Array), responseType: 'bytes', cache: true }),
    headed: operation({
      path: '/headed',
      output: z.number(),
      responseHeaders: z.object({ etag: z.string(), link: z.array(z.string()) }),
      cache: true,
    }),
    empty: operation({ path: '/empty', output: z.number(), allowEmpty: true, cache: true }),
    none: operation({ path: '/none', output: z.object({ id: z.string() }), nullOn: [404], cache: true }),
    listed: operation({ path: '/listed', responses: { 200: z.number(), 410: z.string() }, cache: true }),
    any: operation({ path: '/any', output: z.unknown(), cache: true }),
  },
)
const uri = 'http://127.0.0.1:9/one'
type Which = 'born' | 'bytes' | 'headed' | 'empty' | 'none' | 'listed' | 'any'
const call = (which: Which = 'born', abort = new Abort()) => testRun().ask<unknown>(cats[which](), { abort })
const entry = (body: string, rest: Partial<Entry> = {}): Entry => ({
  status: 200,
  head: { 'content-type': 'application/json' },
  bytes: body.length,
  generation: 'first',
  requestedAt: 1,
  receivedAt: 2,
  initialAge: 0,
  lifetime: 1000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  body,
  ...rest,
})
const found = (body: string, rest: Partial<Entry> = {}): LookupResult => ({ entry: entry(body, rest), value: 'here' })
/** An answer as it is kept in this process. */
const kept = (
  which: Which,
  body: Buffer | string,
  { status = 200, value, head }: { status?: number; value?: unknown; head?: ResponseHeaders } = {},
) =>
  entryOf(
    call(which).spec,
    {
      value,
      status,
      head: { etag: '"a"', 'content-type': 'application/json', ...head },
      body: Buffer.from(body as string),
    },
    { requestedAt: 1, receivedAt: 2, generation: '0' },
    { initialAge: 0, lifetime: 1000, staleWhileRevalidate: 0, staleIfError: 0 },
    'values',
  )
/** An adapter whose keys are of one URI, and which returns nothing for a miss. */
function createCacheAdapter(store: CacheStore) {
  const failed: string[] = []
  const adapter = adapterOf(store, name => failed.push(name))
  const asked = (lookup: Lookup) => (lookup.entry === undefined ? undefined : lookup)
  return {
    find(key: string, asker: LiveCall<unknown>) {
      const lookup = adapter.find({ key, uri }, asker)
      return lookup instanceof Promise ? lookup.then(asked) : asked(lookup)
    },
    store: (key: string, result: LookupResult) => adapter.store(key, uri, result),
    forget: (key: string) => adapter.forget(key, uri),
    close: () => adapter.close(),
    failed,
    get faults() {
      return failed.length
    },
  }
}
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

function far(t: Test, getTimeout = 60_000) {
  const there = farStore(getTimeout)
  const adapter = createCacheAdapter(there.store)
  t.teardown(() => adapter.close())
  /** Keeps an entry, and waits until it is over there. */
  const keep = async (key: string, body: string, rest: Partial<Entry> = {}) => {
    adapter.store(key, found(body, rest))
    for (let turns = 0; turns < 3; turns++) await turn()
  }
  return { there, adapter, keep }
}

test('a store in this process is asked and answers at once, with the very entry and the very value', async t => {
  const adapter = createCacheAdapter(createMemoryStore())
  const value = { at: new Date() }
  const one = kept('born', '{}', { value })
  adapter.store('a', one)
  const again = adapter.find('a', call()) as LookupResult
  t.equal(again.entry, one.entry)
  t.equal(again.value, value)
  t.ok(Object.isFrozen(value))
  t.equal(adapter.find('b', call()), undefined)
  adapter.forget('a')
  t.equal(adapter.find('a', call()), undefined)
  t.equal(adapter.faults, 0)
})

test('a value that the garbage collector took is read again by the schema, and frozen', async t => {
  const adapter = createCacheAdapter(createMemoryStore())
  // These values are not referenced, as if their runs were over.
  for (const [key, which, body, expected, status] of [
    ['date', 'born', '{"at":"2026-03-01T00:00:00Z","more":1}', { at: new Date('2026-03-01T00:00:00Z') }, 200],
    ['bytes', 'bytes', Buffer.from([0, 255, 128]), Buffer.from([0, 255, 128]), 200],
    ['headers', 'headed', '7', { body: 7, headers: { etag: '"a"', link: ['</a>', '</b>'] } }, 200],
    ['an empty body', 'empty', '', null, 200],
    ['no empty body', 'empty', '7', 7, 200],
    ['none', 'none', '', null, 404],
  ] as const) {
    adapter.store(key, kept(which, body, { status, head: { link: ['</a>', '</b>'] } }))
    await collected()
    const again = adapter.find(key, call(which)) as LookupResult
    t.strictSame(again.value, expected, key)
    t.equal((adapter.find(key, call(which)) as LookupResult).value, again.value, 'and read once')
    if (which === 'born') t.ok(Object.isFrozen(again.value))
  }
  t.equal(adapter.faults, 0)
})

test('an entry is read by the schema of its status, and removed if the operation does not accept the status', async t => {
  const { adapter, keep } = far(t)
  await keep('a', '"gone"', { status: 410 })
  t.strictSame((await adapter.find('a', call('listed')))?.value, { status: 410, body: 'gone' })
  t.equal(adapter.faults, 0)
  for (const [which, status] of [
    ['listed', 404],
    ['listed', 201],
    ['any', 404],
    ['any', 302],
  ] as const) {
    await keep('a', '7', { status })
    t.equal(await adapter.find('a', call(which)), undefined, `${which} ${status}`)
    t.equal(await adapter.find('a', call('any')), undefined, 'it is removed')
  }
  t.same(adapter.failed, ['get', 'get', 'get', 'get'])
})

test('a value that its schema refuses when it is read again counts as none and goes', async t => {
  const store = createMemoryStore()
  const adapter = createCacheAdapter(store)
  adapter.store('a', kept('born', '{"at":1}'))
  await collected()
  t.equal(adapter.find('a', call()), undefined)
  t.equal(adapter.faults, 1)
  t.equal(store.size?.entries, 0)
})

test('a large body is read again in a turn of its own, unless its call is given up by then', async t => {
  const adapter = createCacheAdapter(createMemoryStore())
  adapter.store('a', kept('born', `{"at":"2026-03-01T00:00:00Z"}${' '.repeat(200_000)}`))
  await collected()
  const abort = new Abort()
  const [later, never] = [adapter.find('a', call()), adapter.find('a', call('born', abort))]
  t.ok(later instanceof Promise)
  const reason = { why: 'the caller has gone' }
  abort.abort(reason)
  t.strictSame(((await later) as LookupResult).value, { at: new Date('2026-03-01T00:00:00Z') })
  t.equal(await failure(never as Promise<unknown>), reason)
  t.notOk(adapter.find('a', call()) instanceof Promise, 'it is there now')
})

test('a large body that its schema refuses is read once for all calls that wait for it, and dropped once', async t => {
  let reads = 0
  const { born } = defineUpstream(
    'cats',
    { origin: 'http://127.0.0.1:9' },
    {
      born: operation({
        path: '/born',
        output: z.object({ at: z.string() }).transform((): string => {
          throw new Error(`refused ${++reads}`)
        }),
        cache: true,
      }),
    },
  )
  const ask = () => testRun().ask<unknown>(born(), { abort: new Abort() })
  const answer = (value?: unknown) =>
    entryOf(
      ask().spec,
      { value, status: 200, head: {}, body: Buffer.from(`{"at":"then"}${' '.repeat(200_000)}`) },
      { requestedAt: 1, receivedAt: 2, generation: '0' },
      { initialAge: 0, lifetime: 1000, staleWhileRevalidate: 0, staleIfError: 0 },
      'values',
    )
  const adapter = createCacheAdapter(createMemoryStore())
  adapter.store('a', answer())
  await collected()
  const [first, ...others] = Array.from({ length: 20 }, async () => adapter.find('a', ask()))
  t.equal(await first, undefined)
  const next = { at: 'now' }
  adapter.store('a', answer(next))
  t.same(new Set(await Promise.all(others)), new Set([undefined]))
  t.equal(reads, 1)
  t.equal(adapter.faults, 1)
  t.equal((adapter.find('a', ask()) as LookupResult).value, next, 'what was kept since then stays')
})

test('a large body from another process is read in a turn of its own too, and a small one at once', async t => {
  let reads = 0
  const { born } = defineUpstream(
    'cats',
    { origin: 'http://127.0.0.1:9' },
    {
      born: operation({ path: '/born', output: z.object({ at: z.string() }).transform(() => ++reads), cache: true }),
    },
  )
  const readAtOnce = async (body: string) => {
    const adapter = createCacheAdapter({
      storage: 'bodies',
      get: () =>
        Promise.resolve({ entry: { ...entry(body), key: hash('sha256', 'a', 'base64url') }, generation: 'first' }),
      set: () => {},
      delete: () => {},
      invalidate: () => {},
    })
    const later = adapter.find('a', testRun().ask<unknown>(born(), { abort: new Abort() })) as Promise<LookupResult>
    await new Promise<void>(resolve => process.nextTick(resolve))
    const before = reads
    t.equal((await later).value, reads)
    return before === reads
  }
  t.equal(await readAtOnce('{"at":"then"}'), true)
  t.equal(await readAtOnce(`{"at":"then"}${' '.repeat(200_000)}`), false)
  const hostile = createCacheAdapter({
    storage: 'bodies',
    get: () => ({
      entry: {
        get body(): string {
          throw new Error('unreadable')
        },
      } as Entry,
    }),
    set: () => {},
    delete: () => {},
    invalidate: () => {},
  })
  t.equal(hostile.find('a', testRun().ask<unknown>(born(), { abort: new Abort() })), undefined)
  t.equal(hostile.faults, 1)
})

test('a value is given to the operation whose schema has made it, and another of the same name reads its own', async t => {
  const ofSchema = (output: z.ZodType, more: { responseHeaders?: z.ZodType } = {}) =>
    defineUpstream(
      'cats',
      { origin: 'http://127.0.0.1:9' },
      { born: operation({ path: '/born', output, cache: true, ...more }) },
    ).born()
  const adapter = createCacheAdapter(createMemoryStore())
  const value = { at: new Date() }
  adapter.store('a', kept('born', '{"at":"then"}', { value }))
  const next = testRun().ask<unknown>(ofSchema(z.object({ at: z.string() })), { abort: new Abort() })
  t.strictSame((adapter.find('a', next) as LookupResult).value, { at: 'then' })
  t.equal((adapter.find('a', call()) as LookupResult).value, value)
  const headed = testRun().ask<unknown>(
    ofSchema(z.unknown(), { responseHeaders: z.object({ link: z.string().optional() }) }),
    { abort: new Abort() },
  )
  t.equal(
    adapter.find('a', headed),
    undefined,
    'headers that were not kept are not taken for headers that were not there',
  )
})

test(
  'the bytes of an entry are those of its body, of the headers that are kept, ' +
    'and of all headers where its operation reads them',
  async t => {
    const bytesOf = (which: Which, body: string, head: ResponseHeaders) => kept(which, body, { head }).entry.bytes
    const least = bytesOf('born', '', {})
    t.equal(bytesOf('born', 'x'.repeat(800), {}), least + 800)
    t.equal(bytesOf('born', 'é'.repeat(400), {}), least + 800, 'as bytes of UTF-8')
    t.equal(bytesOf('born', '', { link: 'x'.repeat(800) }), least, 'a header that nothing reads is not kept')
    t.equal(bytesOf('born', '', { vary: 'x'.repeat(800) }), least + 8 + 16 + 800)
    t.equal(bytesOf('born', '', { vary: ['x'.repeat(80), 'x'.repeat(160)] }), least + 8 + 2 * (8 + 16) + 240)
    t.ok(bytesOf('headed', '', { link: 'x'.repeat(800) }) > least + 800)
  },
)

test('an invalid entry in a store of this process is a miss and is removed', async t => {
  const held = new Map<string, unknown>([
    ['a', { status: 200 }],
    ['b', 'text'],
    ['c', null],
  ])
  const adapter = createCacheAdapter({
    storage: 'values',
    get: key => ({ entry: held.get(key) as Entry, generation: '0' }),
    set: () => {},
    delete: key => held.delete(key),
    invalidate: () => {},
  })
  for (const key of ['a', 'b', 'c']) t.equal(adapter.find(key, call()), undefined)
  t.equal(adapter.faults, 2, 'null is nothing, and no fault')
  t.same([...held.keys()], ['c'])
})

test('from another process comes what was sent there, read by the schema again, and frozen', async t => {
  const { there, adapter, keep } = far(t)
  await keep('secret key', '{"at":"2026-03-01T00:00:00Z","more":1}')
  t.notMatch(
    JSON.stringify([...there.held]),
    /secret|here/,
    'neither the key, which has credentials in it, nor the value',
  )
  t.same(
    [...there.held.keys()].map(key => key.length),
    [43],
  )
  t.same([...there.useful.values()], [1000])
  const back = (await adapter.find('secret key', call())) as LookupResult
  t.strictSame(back.value, { at: new Date('2026-03-01T00:00:00Z') })
  t.ok(Object.isFrozen(back.value))
  t.equal(await adapter.find('other', call()), undefined)
  t.equal(adapter.faults, 0)
})

test('bytes and an absent value are read from the store as they were stored', async t => {
  const { adapter, keep } = far(t)
  await keep('bytes', Buffer.from([0, 255, 128]).toString('base64'), { head: { 'content-type': 'image/png' } })
  t.same((await adapter.find('bytes', call('bytes')))?.value, Buffer.from([0, 255, 128]))
  await keep('none', '', { status: 404 })
  t.equal((await adapter.find('none', call('none')))?.value, null)
})

test('an entry that is being written is found before the store has it', async t => {
  const { there, adapter } = far(t)
  const last = found('{}')
  adapter.store('a', found('{"first":1}'))
  adapter.store('a', last)
  t.equal(await adapter.find('a', call()), last)
  adapter.store('a', last)
  adapter.forget('a')
  t.equal(await adapter.find('a', call()), undefined)
  t.equal(there.asked, 2)
})

test('an entry that is being written is valid for its generation only, like a stored entry', async t => {
  const pending = found('{}')
  for (const [lookup, isValid] of [
    [undefined, true],
    [{}, true],
    [{ generation: 'first' }, true],
    [{ generation: 'second' }, false],
    [{ entry: entry('{}', { key: hash('sha256', 'a', 'base64url') }), generation: 'second' }, false],
  ] as const) {
    for (const later of [false, true]) {
      const adapter = createCacheAdapter({
        storage: 'bodies',
        get: () => (later ? Promise.resolve(lookup) : lookup),
        set: () => new Promise(() => {}),
        delete: () => {},
        invalidate: () => {},
      })
      t.teardown(() => adapter.close())
      adapter.store('a', pending)
      t.equal(await adapter.find('a', call()), isValid ? pending : undefined, JSON.stringify(lookup))
      t.equal(adapter.faults, 0)
    }
  }
})

test('a returned value that is not an entry, or not an answer of its operation, is a miss and is removed', async t => {
  const { there, adapter, keep } = far(t)
  const spoilt: readonly string[] = [
    '1',
    '"text"',
    '[]',
    '{}',
    '{"value":{"at":"2026-03-01"}}',
    JSON.stringify(entry('{"at":1}')),
    JSON.stringify(entry('{"at":')),
    JSON.stringify(entry('{"__proto__":{},"at":"2026-03-01"}')),
    JSON.stringify({ ...entry('{}'), status: 'x' }),
    JSON.stringify({ ...entry('{}'), receivedAt: -1 }),
    JSON.stringify({ ...entry('{}'), head: { a: 1 } }),
    JSON.stringify({ ...entry('{}'), lifetime: null }),
    JSON.stringify({ ...entry('{}'), body: undefined }),
  ]
  await keep('a', '{"at":"2026-03-01"}')
  const [key = ''] = there.held.keys()
  for (const [index, text] of spoilt.entries()) {
    there.held.set(key, text)
    t.equal(await adapter.find('a', call()), undefined, text)
    t.equal(adapter.faults, index + 1)
    await turn()
    await turn()
    t.notOk(there.held.has(key))
  }
  there.held.set(key, 'null')
  t.equal(await adapter.find('a', call()), undefined)
  t.equal(adapter.faults, spoilt.length, 'null is nothing, and no fault')
})

test('a returned value that is not a lookup is a miss and is reported', async t => {
  for (const [index, wrong] of [
    7,
    'text',
    { generation: 1 },
    ['an entry', 'a generation'],
    entry('{"at":"2026-03-01"}', { key: hash('sha256', 'a', 'base64url') }),
    kept('born', '{"at":"2026-03-01"}').entry,
    {
      get entry(): never {
        throw new Error('unreadable')
      },
    },
  ].entries()) {
    const { store } = farStore()
    const adapter = createCacheAdapter({ ...store, get: () => wrong as never })
    t.equal(adapter.find('a', call()), undefined, String(index))
    t.same(adapter.failed, ['get'])
  }
  for (const right of [undefined, null, {}, { generation: 'a' }]) {
    const { store } = farStore()
    const adapter = createCacheAdapter({ ...store, get: () => right as never })
    t.equal(adapter.find('a', call()), undefined)
    t.same(adapter.failed, [], JSON.stringify(right))
  }
})

test('a lookup of an unavailable store is a miss whose answer is not stored, and no fault', async t => {
  const right = entry('{"at":"2026-03-01"}', { key: hash('sha256', 'a', 'base64url') })
  for (const lookup of [{ generation: null }, { entry: right, generation: null }] as const) {
    const { store, held } = farStore()
    const failed: string[] = []
    const adapter = adapterOf({ ...store, get: () => lookup }, name => failed.push(name))
    t.teardown(() => adapter.close())
    adapter.store('a', uri, found('{}'))
    t.same(
      adapter.find({ key: 'a', uri }, call()),
      { entry: undefined, generation: null },
      'not even an entry that is being written',
    )
    await until(() => held.size === 1)
    t.same(failed, [])
  }
})

test('an entry that a store returns again as the same frozen object is parsed once per operation', async t => {
  let reads = 0
  const born = () =>
    defineUpstream(
      'cats',
      { origin: 'http://127.0.0.1:9' },
      { born: operation({ path: '/born', output: z.unknown().transform(() => ({ read: ++reads })), cache: true }) },
    ).born()
  const named = (key: string, body = '{}') => Object.freeze(entry(body, { key: hash('sha256', key, 'base64url') }))
  let lookup = { entry: named('a'), generation: 'first' }
  const adapter = createCacheAdapter({ ...farStore().store, get: () => lookup })
  const [one, other] = [born(), born()]
  const ask = async (key: string, which = one) =>
    (await adapter.find(key, testRun().ask<unknown>(which, { abort: new Abort() })))?.value
  const value = await ask('a')
  t.same(value, { read: 1 })
  t.equal(await ask('a'), value)
  t.same(await ask('a', other), { read: 2 }, 'another schema reads it itself')
  lookup = { ...lookup, generation: 'second' }
  t.equal(await ask('a', other), undefined, 'its generation is checked each time')
  lookup = { entry: named('a'), generation: 'first' }
  t.same(await ask('a'), { read: 3 }, 'another object is another entry')
  t.equal(adapter.failed.length, 0)
  t.equal(await ask('b'), undefined, 'its key is checked each time')
  t.same(adapter.failed, ['get'])

  lookup = { entry: { ...named('a') }, generation: 'first' }
  t.same([await ask('a'), await ask('a')], [{ read: 4 }, { read: 5 }], 'an object that can change is read each time')

  lookup = { entry: named('a', JSON.stringify('x'.repeat(200_000))), generation: 'first' }
  const large = () => adapter.find('a', testRun().ask<unknown>(one, { abort: new Abort() }))
  t.ok(large() instanceof Promise)
  await until(() => reads === 6)
  t.notOk(large() instanceof Promise, 'a large value that is known is given at once')
})

test('an entry of another generation than its URI has now is not valid, and no fault', async t => {
  const { there, adapter, keep } = far(t)
  await keep('a', '{"at":"2026-03-01"}')
  t.not(await adapter.find('a', call()), undefined)
  for (const [name] of there.generations) there.generations.set(name, 'another')
  t.equal(await adapter.find('a', call()), undefined)
  there.generations.clear()
  t.equal(await adapter.find('a', call()), undefined)
  t.equal(adapter.faults, 0)

  const { entry: own } = kept('born', '{"at":"2026-03-01"}')
  for (const [generation, isValid] of [
    ['0', true],
    ['1', false],
    [undefined, false],
  ] as const) {
    const here = createCacheAdapter({ ...createMemoryStore(), get: () => ({ entry: own, generation }) })
    t.equal(here.find('a', call()) !== undefined, isValid, String(generation))
    t.equal(here.faults, 0)
  }
})

test('a store that throws or rejects fails nothing', async t => {
  const { there, adapter } = far(t)
  for (const mode of ['throw', 'reject'] as const) {
    there.mode = mode
    const before = adapter.faults
    t.equal(await adapter.find('a', call()), undefined, mode)
    adapter.store('a', found('{}'))
    adapter.forget('a')
    for (let turns = 0; turns < 3; turns++) await turn()
    t.equal(adapter.faults, before + 3, mode)
  }
})

test('a store that never answers is waited for as long as it may take, and what hangs leaves nothing behind', async t => {
  const { there, adapter } = far(t, 1)
  await turn()
  const before = timers()
  there.mode = 'hang'
  const run = call()
  t.equal(await adapter.find('a', run), undefined)
  t.equal(run.abort.size, 0)
  t.equal(adapter.faults, 1)
  adapter.store('a', found('{}'))
  await until(() => adapter.faults >= 2)
  there.mode = 'well'
  t.equal(await adapter.find('a', call()), undefined, 'what is not there in time is not kept here either')
  t.equal(timers(), before)
})

test('a store that fails after it was late has failed once', async t => {
  const refusals: ((reason: Error) => void)[] = []
  const store: CacheStore = {
    storage: 'bodies',
    getTimeout: 1,
    get: () => new Promise((_, reject) => refusals.push(reject)),
    set: () => new Promise((_, reject) => refusals.push(reject)),
    delete: () => {},
    invalidate: () => {},
  }
  const adapter = createCacheAdapter(store)
  t.equal(await adapter.find('a', call()), undefined)
  adapter.store('a', found('{}'))
  await until(() => adapter.faults >= 2)
  for (const refuse of refusals) refuse(new Error('late'))
  await turn()
  t.equal(adapter.faults, 2)
})

test('a call that is given up while the store is asked ends at once with its own reason', async t => {
  const { there, adapter } = far(t)
  await turn()
  const before = timers()
  for (const mode of ['hang', 'reject', 'well'] as const) {
    there.mode = mode
    const abort = new Abort()
    const ended = failure(adapter.find('a', call('born', abort)) as Promise<unknown>)
    const reason = { mode }
    abort.abort(reason)
    t.equal(await ended, reason)
    t.equal(abort.size, 0)
  }
  t.equal(timers(), before)
  for (let turns = 0; turns < 3; turns++) await turn()
  t.equal(adapter.faults, 0)
})

test('closing leaves no timer of what is being written', async t => {
  const { there, adapter } = far(t)
  await turn()
  const before = timers()
  there.mode = 'hang'
  adapter.store('a', found('{}'))
  t.equal(timers(), before + 1)
  adapter.close()
  t.equal(timers(), before)
  t.equal(adapter.faults, 0)
})

test('a store that says nothing of its getTimeout has 100 ms', async t => {
  const { store } = farStore()
  t.equal(store.getTimeout, undefined)
  const adapter = createCacheAdapter({ ...store, get: () => new Promise(() => {}) })
  const began = performance.now()
  t.equal(await adapter.find('a', call()), undefined)
  t.ok(performance.now() - began >= 98)
})
