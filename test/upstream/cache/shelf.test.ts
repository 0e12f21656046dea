import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../../src/upstream/abort.ts'
import type { Entry } from '../../../src/upstream/cache/entry.ts'
import { createMemoryStore } from '../../../src/upstream/cache/memory-store.ts'
import { createShelf } from '../../../src/upstream/cache/shelf.ts'
import type { CacheStore } from '../../../src/upstream/cache/store.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { farStore } from '../../helpers/far-store.ts'
import { turn } from '../../helpers/turn.ts'

const cats = defineUpstream('cats', { origin: 'http://127.0.0.1:9' }, {
  born: operation({ path: '/born', output: z.object({ at: z.string().transform(text => new Date(text)) }), cache: true }),
  bytes: operation({ path: '/bytes', output: z.instanceof(Uint8Array), as: 'bytes', cache: true }),
  none: operation({ path: '/none', output: z.object({ id: z.string() }), absent: [404], cache: true }),
})
const call = (which: 'born' | 'bytes' | 'none' = 'born', abort = new Abort()) => testRun().ask<unknown>(cats[which](), { abort })
const entry = (body: string, rest: Partial<Entry> = {}): Entry => ({
  status: 200, head: { 'content-type': 'application/json' }, bytes: body.length, requestedAt: 1, receivedAt: 2, initialAge: 0, lifetime: 1000, staleWhileRevalidate: 0, staleIfError: 0, value: 'here', body, ...rest,
})
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

function far (t: Test, patience = 60_000) {
  const there = farStore(patience)
  const shelf = createShelf(there.store)
  t.teardown(() => shelf.close())
  /** Keeps an entry, and waits until it is over there. */
  const keep = async (key: string, kept: Entry) => {
    shelf.keep(key, kept)
    for (let turns = 0; turns < 3; turns++) await turn()
  }
  return { there, shelf, keep }
}

test('a store in this process is asked and answers at once, with the very entry', async t => {
  const shelf = createShelf(createMemoryStore())
  const kept = entry('{}')
  shelf.keep('a', kept)
  t.equal(shelf.find('a', call()), kept)
  t.equal(shelf.find('b', call()), undefined)
  shelf.forget('a')
  t.equal(shelf.find('a', call()), undefined)
  t.equal(shelf.faults, 0)
})

test('from another process comes what was sent there, read by the schema again, and frozen', async t => {
  const { there, shelf, keep } = far(t)
  await keep('secret key', entry('{"at":"2026-03-01T00:00:00Z","more":1}'))
  t.notMatch(JSON.stringify([...there.held]), /secret|here/, 'neither the key, which has credentials in it, nor the value')
  t.same([...there.held.keys()].map(key => key.length), [43])
  t.same([...there.useful.values()], [1000])
  const found = await shelf.find('secret key', call()) as Entry
  t.strictSame(found.value, { at: new Date('2026-03-01T00:00:00Z') })
  t.ok(Object.isFrozen(found.value))
  t.equal(await shelf.find('other', call()), undefined)
  t.equal(shelf.faults, 0)
})

test('bytes, and that there is none, come back as they went', async t => {
  const { shelf, keep } = far(t)
  await keep('bytes', entry(Buffer.from([0, 255, 128]).toString('base64'), { head: { 'content-type': 'image/png' } }))
  t.same((await shelf.find('bytes', call('bytes')))?.value, Buffer.from([0, 255, 128]))
  await keep('none', entry('', { status: 404 }))
  t.equal((await shelf.find('none', call('none')))?.value, null)
})

test('what is being written is found before it is there', async t => {
  const { there, shelf } = far(t)
  const kept = entry('{}')
  shelf.keep('a', entry('{"first":1}'))
  shelf.keep('a', kept)
  t.equal(shelf.find('a', call()), kept)
  t.equal(there.asked, 0)
  shelf.forget('a')
  t.equal(await shelf.find('a', call()), undefined)
})

test('what comes back and is no entry, or is no answer of its operation, counts as none and goes', async t => {
  const { there, shelf, keep } = far(t)
  const spoilt: readonly string[] = [
    '1', '"text"', '[]', '{}', '{"value":{"at":"2026-03-01"}}',
    JSON.stringify(entry('{"at":1}')), JSON.stringify(entry('{"at":')), JSON.stringify(entry('{"__proto__":{},"at":"2026-03-01"}')),
    JSON.stringify({ ...entry('{}'), status: 'x' }), JSON.stringify({ ...entry('{}'), receivedAt: -1 }), JSON.stringify({ ...entry('{}'), head: { a: 1 } }),
    JSON.stringify({ ...entry('{}'), lifetime: null }), JSON.stringify({ ...entry('{}'), body: undefined }),
  ]
  await keep('a', entry('{"at":"2026-03-01"}'))
  const [key = ''] = there.held.keys()
  for (const [index, text] of spoilt.entries()) {
    there.held.set(key, text)
    t.equal(await shelf.find('a', call()), undefined, text)
    t.equal(shelf.faults, index + 1)
    await turn()
    await turn()
    t.notOk(there.held.has(key))
  }
  there.held.set(key, 'null')
  t.equal(await shelf.find('a', call()), undefined)
  t.equal(shelf.faults, spoilt.length, 'null is nothing, and no fault')
})

test('a store that throws or rejects fails nothing', async t => {
  const { there, shelf } = far(t)
  for (const mode of ['throw', 'reject'] as const) {
    there.mode = mode
    const before = shelf.faults
    t.equal(await shelf.find('a', call()), undefined, mode)
    shelf.keep('a', entry('{}'))
    shelf.forget('a')
    for (let turns = 0; turns < 3; turns++) await turn()
    t.equal(shelf.faults, before + 3, mode)
  }
})

test('a store that never answers is waited for as long as it may take, and what hangs leaves nothing behind', async t => {
  const { there, shelf } = far(t, 1)
  await turn()
  const before = timers()
  there.mode = 'hang'
  const run = call()
  t.equal(await shelf.find('a', run), undefined)
  t.equal(run.abort.size, 0)
  t.equal(shelf.faults, 1)
  const kept = entry('{}')
  shelf.keep('a', kept)
  t.equal(shelf.find('a', call()), kept)
  while (shelf.faults < 2) await turn()
  t.equal(await shelf.find('a', call()), undefined, 'what is not there in time is not kept here either')
  t.equal(timers(), before)
})

test('a store that fails after it was late has failed once', async t => {
  const refusals: ((reason: Error) => void)[] = []
  const store: CacheStore = { keeps: 'bodies', patience: 1, get: () => new Promise((_, reject) => refusals.push(reject)), set: () => new Promise((_, reject) => refusals.push(reject)), delete: () => {} }
  const shelf = createShelf(store)
  t.equal(await shelf.find('a', call()), undefined)
  shelf.keep('a', entry('{}'))
  while (shelf.faults < 2) await turn()
  for (const refuse of refusals) refuse(new Error('late'))
  await turn()
  t.equal(shelf.faults, 2)
})

test('a call that is given up while the store is asked ends at once with its own reason', async t => {
  const { there, shelf } = far(t)
  await turn()
  const before = timers()
  for (const mode of ['hang', 'reject', 'well'] as const) {
    there.mode = mode
    const abort = new Abort()
    const found = failure(shelf.find('a', call('born', abort)) as Promise<unknown>)
    const reason = { mode }
    abort.cut(reason)
    t.equal(await found, reason)
    t.equal(abort.size, 0)
  }
  t.equal(timers(), before)
  for (let turns = 0; turns < 3; turns++) await turn()
  t.equal(shelf.faults, 0)
})

test('closing leaves no timer of what is being written', async t => {
  const { there, shelf } = far(t)
  await turn()
  const before = timers()
  there.mode = 'hang'
  shelf.keep('a', entry('{}'))
  t.equal(timers(), before + 1)
  shelf.close()
  t.equal(timers(), before)
  t.equal(shelf.faults, 0)
})

test('a store that says nothing of its patience has 100 ms of it', async t => {
  const { store } = farStore()
  t.equal(store.patience, undefined)
  const shelf = createShelf({ ...store, get: () => new Promise(() => {}) })
  const began = performance.now()
  t.equal(await shelf.find('a', call()), undefined)
  t.ok(performance.now() - began >= 98)
})
