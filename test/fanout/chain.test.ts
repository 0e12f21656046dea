import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, chain, offload, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { Answer } from '../../src/upstream/spec/answer.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime, type HeldCall } from '../helpers/held-runtime.ts'
import type * as offloaded from '../helpers/offloaded.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('chained', { url: '/chained', deadline: 20_000 })
const pathsOf = (calls: readonly HeldCall[]) => calls.map(({ path }) => path)

/** An aggregate with one list of chains of two calls, `/I.0` and then `/I.1`. */
function pairs(count: number, options: { readonly concurrency?: number } = {}) {
  return base
    .each(
      'all',
      () =>
        times(count, item =>
          chain(
            oracle.ask({ id: `${item}.0` }),
            () => oracle.ask({ id: `${item}.1` }),
            (one, two) => [one, two],
          ),
        ),
      options,
    )
    .reply(Any, ({ all }) => all)
}

for (const isSync of [false, true])
  test(`an item of a list of chains continues before the other items have an answer (sync: ${isSync})`, async t => {
    const runtime = heldRuntime({ isSync })
    const { reply } = watched(pairs(3), { runtime })
    await turn()
    t.strictSame(pathsOf(runtime.calls), ['/0.0', '/1.0', '/2.0'])
    runtime.at('/1.0').answer('b0')
    await turn()
    t.strictSame(pathsOf(runtime.calls).slice(3), ['/1.1'])
    runtime.at('/1.1').answer('b1')
    runtime.at('/2.0').answer('c0')
    runtime.at('/0.0').answer('a0')
    await turn()
    runtime.at('/0.1').answer('a1')
    runtime.at('/2.1').answer('c1')
    const { data, complete, sources } = await reply
    t.strictSame(data, [
      ['a0', 'a1'],
      ['b0', 'b1'],
      ['c0', 'c1'],
    ])
    t.equal(complete, true)
    t.match(sources['all'], { state: 'ok', calls: 3, ok: 3, failed: [] })
  })

test('concurrency counts items: the next item starts when a chain has ended, and not when its first call has', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(pairs(3, { concurrency: 2 }), { runtime })
  await turn()
  t.strictSame(pathsOf(runtime.calls), ['/0.0', '/1.0'])
  runtime.at('/0.0').answer()
  await turn()
  t.strictSame(pathsOf(runtime.calls).slice(2), ['/0.1'])
  runtime.at('/0.1').answer()
  await turn()
  t.strictSame(pathsOf(runtime.calls).slice(3), ['/2.0'])
  for (const path of ['/1.0', '/2.0']) runtime.at(path).answer()
  await turn()
  for (const path of ['/1.1', '/2.1']) runtime.at(path).answer()
  t.match((await reply).sources, { all: { state: 'ok', calls: 3 } })
})

test('minSuccess and the counts of a list of chains count items, and a failed call fails its item only', async t => {
  const runtime = answeringRuntime(path => {
    if (path === '/1.1' || path === '/3.0')
      throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
    return path
  })
  const listing = (minSuccess: number) =>
    base
      .each(
        'all',
        () => times(4, item => chain(oracle.ask({ id: `${item}.0` }), () => oracle.ask({ id: `${item}.1` }))),
        { minSuccess, fallback: 'lost' },
      )
      .reply(Any, ({ all }) => all)
  const { data, sources } = await fanOut(listing(2), {}, { runtime })
  t.strictSame(data, ['/0.1', 'lost', '/2.1', 'lost'])
  t.match(sources.all, {
    state: 'partial',
    calls: 4,
    ok: 2,
    failed: [
      { index: 1, code: 'UPSTREAM_STATUS', status: 500 },
      { index: 3, code: 'UPSTREAM_STATUS', status: 500 },
    ],
  })
  t.match(await problemOf(fanOut(listing(3), {}, { runtime })), { code: 'UPSTREAM_STATUS', statusCode: 502 })
})

test('a list may have calls and chains, and maxItems counts each of them once', async t => {
  const runtime = answeringRuntime(path => path)
  const listing = (maxItems: number) =>
    base
      .each('all', () => [oracle.ask({ id: 'a' }), chain(oracle.ask({ id: 'b' }), b => [b])], { maxItems })
      .reply(Any, ({ all }) => all)
  t.strictSame((await fanOut(listing(2), {}, { runtime })).data, ['/a', ['/b']])
  t.match(await problemOf(fanOut(listing(1), {}, { runtime })), { code: 'TOO_MANY_ITEMS' })
})

test('a function of a chain gets all earlier values, and returns a call, a value, or a promise of one', async t => {
  const runtime = answeringRuntime(path => path)
  const seen: unknown[][] = []
  const note = <T>(values: unknown[], returned: T): T => {
    seen.push(values)
    return returned
  }
  const described = base
    .each('all', () => [
      chain(
        oracle.ask({ id: 'a' }),
        (...all) => note(all, oracle.ask({ id: 'b' })),
        (...all) => note(all, null),
        async (...all) => note(all, oracle.ask({ id: 'c' })),
        async (...all) => note(all, { end: all.at(-1) }),
      ),
    ])
    .reply(Any, ({ all }) => all)
  t.strictSame((await fanOut(described, {}, { runtime })).data, [{ end: '/c' }])
  t.strictSame(seen, [['/a'], ['/a', '/b'], ['/a', '/b', null], ['/a', '/b', null, '/c']])
  t.strictSame(runtime.asked, ['/a', '/b', '/c'])
})

test('a chain of k functions over calls in any order of arrival has the value of its functions, one after another', async t => {
  const Link = fc.constantFrom('call', 'later call', 'value', 'later value', 'throw')
  const Item = fc.record({
    fails: fc.option(fc.nat(4), { nil: undefined, freq: 3 }),
    links: fc.array(Link, { maxLength: 4 }),
  })
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(Item, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(50), { minLength: 5, maxLength: 10 }),
      fc.boolean(),
      async (items, concurrency, picks, isSync) => {
        const fault = () => new UpstreamError('UPSTREAM_RESET', 'oracle')
        const runtime = heldRuntime({ isSync })
        const linkOf = (kind: string, item: number, at: number) => (before: string) => {
          const id = `${before}>${item}.${at}`
          if (kind === 'throw') throw fault()
          const made = kind.endsWith('call') ? oracle.ask({ id }) : `/${id}`
          return kind.startsWith('later') ? Promise.resolve(made) : made
        }
        const described = base
          .each(
            'all',
            () =>
              items.map(({ links }, item) => {
                const [second = () => 'end', ...rest] = links.map((kind, at) => {
                  const link = linkOf(kind, item, at)
                  return (...values: unknown[]) => link(String(values.length))
                })
                return Reflect.apply(chain, undefined, [oracle.ask({ id: `first ${item}` }), second, ...rest]) as never
              }),
            { concurrency, minSuccess: 0, fallback: 'lost' },
          )
          .reply(Any, ({ all }) => all)
        const { reply, events } = watched(described, { runtime })
        const open: HeldCall[] = []
        for (let known = 0, at = 0; at < 200; at++) {
          await turn()
          open.push(...runtime.calls.slice(known))
          known = runtime.calls.length
          if (open.length > concurrency) return false
          const [next] = open.splice((picks[at % picks.length] as number) % Math.max(1, open.length), 1)
          if (next === undefined) break
          const [, place = ''] = decodeURIComponent(next.path).split(/first |>/)
          const [item = '', link = '-1'] = place.split('.')
          // The call of the first argument has the number 0, the call of function 1 the number 1 and so on.
          if (items[Number(item)]?.fails === Number(link) + 1) next.fail(fault())
          else next.answer(decodeURIComponent(next.path))
        }
        const expected = items.map(({ fails, links }, item) => {
          let value = links.length === 0 ? 'end' : ''
          if (fails === 0) return 'lost'
          for (const [at, kind] of links.entries()) {
            if (kind === 'throw' || (kind.endsWith('call') && fails === at + 1)) return 'lost'
            value = `/${at + 1}>${item}.${at}`
          }
          return value
        })
        const { data, sources } = await reply
        const numbers = events.flatMap(event => (event.type === 'call ended' ? [event.call] : []))
        for (const { links } of items) seen.add(links.length)
        return (
          JSON.stringify(data) === JSON.stringify(expected) &&
          sources['all']?.ok === expected.filter(each => each !== 'lost').length &&
          new Set(numbers).size === numbers.length
        )
      },
    ),
    { numRuns: 150 },
  )
  t.ok(seen.size > 4, `chains of ${[...seen].join(', ')} functions`)
})

test('the first call of a chain has the number of its item, and further calls have the next numbers', async t => {
  const runtime = heldRuntime()
  const { reply } = watched(pairs(3), { runtime })
  await turn()
  for (const path of ['/2.0', '/0.0', '/1.0']) runtime.at(path).answer()
  await turn()
  t.strictSame(
    runtime.calls.map(({ path, call }) => [path, call.index, call.siblingCount]),
    [
      ['/0.0', 0, 3],
      ['/1.0', 1, 3],
      ['/2.0', 2, 3],
      ['/2.1', 3, 1],
      ['/0.1', 4, 1],
      ['/1.1', 5, 1],
    ],
  )
  for (const path of ['/2.1', '/0.1', '/1.1']) runtime.at(path).answer()
  await reply
})

test('the calls of chains have numbers after those of the asked calls and of the items, and share their limit', async t => {
  const runtime = heldRuntime()
  const ask = (id: string) => oracle.ask({ id })
  const described = base
    .each(
      'all',
      ({ ask: send }) => {
        void send(ask('asked')).catch(() => {})
        return ['a', 'b'].map(id => chain(ask(`${id}0`), () => ask(`${id}1`)))
      },
      { concurrency: 1, minSuccess: 1, fallback: 'lost' },
    )
    .reply(Any, ({ all }) => all)
  const { reply } = watched(described, { runtime })
  await turn()
  t.equal(runtime.calls.length, 1, 'the asked call that is not awaited has the only place')
  runtime.at('/asked').fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
  for (const path of ['/a0', '/a1']) (await runtime.arrived(path)).answer(path)
  ;(await runtime.arrived('/b0')).answer('/b0')
  ;(await runtime.arrived('/b1')).fail(new UpstreamError('UPSTREAM_TIMEOUT', 'oracle'))
  const { data, sources } = await reply
  t.same(data, ['/a1', 'lost'])
  t.strictSame(
    runtime.calls.map(({ path, call }) => [path, call.index]),
    [
      ['/asked', 0],
      ['/a0', 1],
      ['/a1', 3],
      ['/b0', 2],
      ['/b1', 4],
    ],
  )
  t.match(sources['all'], {
    state: 'partial',
    calls: 3,
    ok: 1,
    failed: [
      { index: 0, code: 'UPSTREAM_RESET' },
      { index: 2, code: 'UPSTREAM_TIMEOUT' },
    ],
  })
})

test('a chain counts for the upstream of its first call', async t => {
  const { ask } = defineUpstream(
    'other',
    { origin: 'http://other.test' },
    { ask: operation({ path: '/other', output: Any }) },
  )
  const runtime = heldRuntime()
  const described = base
    .each('all', () => [oracle.ask({ id: 'a' }), chain(oracle.ask({ id: 'b' }), () => ask()), ask()])
    .reply(Any, ({ all }) => all)
  const { reply } = watched(described, { runtime })
  await turn()
  t.strictSame(
    runtime.calls.map(({ call }) => call.siblingCount),
    [2, 2, 1],
  )
  for (const { answer } of runtime.calls) answer()
  await turn()
  t.equal(runtime.calls[3]?.call.siblingCount, 1)
  runtime.calls[3]?.answer()
  await reply
})

/** Answers each call with its path, and the call for a stale path with a stale answer. */
function staleRuntime(stale: string): Runtime {
  return {
    ...heldRuntime(),
    send: <T>(call: { readonly path: string }) =>
      Promise.resolve({
        value: call.path as T,
        status: 200,
        cached: {
          cache: 'hit',
          ...(call.path === stale && { cache: 'stale', insteadOf: new UpstreamError('UPSTREAM_RESET', 'oracle') }),
        },
      } as Answer<T>),
  }
}

test('a stale answer to any call of a chain makes the step stale', async t => {
  for (const stale of ['/1.0', '/1.1'])
    t.match((await fanOut(pairs(2), {}, { runtime: staleRuntime(stale) })).sources, { all: { state: 'stale', ok: 2 } })
  t.match((await fanOut(pairs(2), {}, { runtime: staleRuntime('/none') })).sources, { all: { state: 'ok', ok: 2 } })
})

test('the value of a chain is frozen where its list is, and its functions may change the values before that', async t => {
  const runtime = answeringRuntime(path => ({ path, tags: ['a'] }))
  const Tagged = z.object({ path: z.string(), tags: z.array(z.string()) })
  const { get } = defineUpstream(
    'tagged',
    { origin: 'http://tagged.test' },
    { get: operation({ path: '/x', output: Tagged }) },
  )
  const items = () => [
    chain(
      get(),
      one => {
        one.tags.push('b')
        return get()
      },
      (one, two) => ({ one, two }),
    ),
  ]
  const seen: unknown[] = []
  const described = base
    .each('plain', items)
    .each('tolerant', items, { minSuccess: 0, fallback: null })
    .reply(Any, ({ plain, tolerant }) => {
      seen.push(plain[0], tolerant[0])
      return [plain, tolerant]
    })
  const item = { one: { path: '/x', tags: ['a', 'b'] }, two: { path: '/x', tags: ['a'] } }
  t.strictSame((await fanOut(described, {}, { runtime })).data, [[item], [item]])
  const [plain, tolerant] = seen as [typeof item, typeof item]
  t.strictSame([Object.isFrozen(plain), Object.isFrozen(plain.one)], [false, false])
  t.ok([tolerant, tolerant.one, tolerant.one.tags, tolerant.two.tags].every(each => Object.isFrozen(each)))
})

test('an offloaded function may be a function of a chain', async t => {
  const add = offload<typeof offloaded, 'add'>(new URL('../helpers/offloaded.ts', import.meta.url), 'add')
  const runtime: Runtime = {
    ...answeringRuntime(() => 3),
    offload: ({ name, given }) => ({ value: Promise.resolve([name, given]), stop() {} }),
  }
  const described = base
    .each('all', () => [chain(oracle.ask({ id: 'a' }), three => add(three as number, 4))])
    .reply(Any, ({ all }) => all)
  t.strictSame((await fanOut(described, {}, { runtime })).data, [['add', [3, 4]]])
})
