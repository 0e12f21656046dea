import { test } from 'tap'
import { z } from 'zod'
import { aggregate, skip, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'
import type { Document } from './helpers/document.ts'
import type { Outcome as Sent, State } from '../../src/fanout/outcome.ts'
import { documentedSources } from '../../src/http/openapi/documented-sources.ts'

const base = aggregate('told', { url: '/told', deadline: 20_000 })

/** Asserts that what is sent of each source is what is documented of it: each field, and no other. */
function documented(aggregate: AnyAggregate, sources: Readonly<Record<string, Sent>>): Record<string, State> {
  return Object.fromEntries(
    documentedSources(aggregate).flatMap(({ name, schema, isRequired }) => {
      if (!isRequired && sources[name] === undefined) return []
      // As zod writes it, a plain object takes no field beyond its own.
      const { success, error } = z.fromJSONSchema(z.toJSONSchema(schema)).safeParse(sources[name])
      if (!success) throw new Error(`${name} is ${JSON.stringify(sources[name])}: ${z.prettifyError(error)}`)
      return [[name, (sources[name] as Sent).state]]
    }),
  )
}

test('the outcome of a step is as documented', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    const status = /^\/(\d{3})$/.exec(request.url ?? '')?.[1]
    if (request.url !== '/held') json({}, Number(status ?? 200))
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)

  const whole = base
    .required('plain', () => 1)
    .required('one', () => ask({ id: 'one' }))
    .optional('lost', () => ask({ id: 500 }), { fallback: null })
    .optional('late', () => ask({ id: 'held' }), { fallback: null, timeout: 20 })
    .optional('none', (): unknown => skip, { fallback: null })
    .each('list', () => [ask({ id: 'a' }), ask({ id: 404 })], { minSuccess: 1, fallback: null })
    .each('empty', () => [])
    .each('nothing', () => skip)
    .firstOf('race', () => [ask({ id: 500 }), ask({ id: 'b' })])
    .reply(z.null(), () => null)
  t.same(documented(whole, (await fanOut(whole, {}, { runtime })).sources), {
    plain: 'ok',
    one: 'ok',
    lost: 'fallback',
    late: 'fallback',
    none: 'skipped',
    list: 'partial',
    empty: 'ok',
    nothing: 'skipped',
    race: 'ok',
  })

  const failing = (what: 'one' | 'list' | 'bug' | 'many') =>
    base
      .required('held', () => ask({ id: 'held' }))
      .each('holding', () => [ask({ id: 'held' })])
      .optional('after', () => 1, { fallback: null, needs: ['held'] })
      .each('listed', () => [], { needs: ['held'] })
      .required('one', () => (what === 'one' ? ask({ id: 500 }) : 1))
      .each(
        'list',
        () => {
          if (what === 'bug') throw new Error('a bug')
          return what === 'list'
            ? [ask({ id: 'a' }), ask({ id: 404 })]
            : what === 'many'
              ? [ask({ id: 'a' }), ask({ id: 'b' }), ask({ id: 'c' })]
              : []
        },
        { maxItems: 2 },
      )
      .reply(z.null(), () => null)
  for (const what of ['one', 'list', 'bug', 'many'] as const) {
    const each = failing(what)
    const states = documented(each, (await problemOf(fanOut(each, {}, { runtime }))).sources)
    const { held, holding, after, listed } = states
    t.same([held, holding, after, listed], ['cancelled', 'cancelled', 'cancelled', 'cancelled'], what)
    t.equal(states[what === 'one' ? 'one' : 'list'], 'failed', what)
  }
})

test('the outcome of a step with a cache is as documented', async t => {
  let isDown = false
  const upstream = await httpUpstream(t, ({ response }) => {
    response
      .writeHead(isDown ? 503 : 200, {
        'content-type': 'application/json',
        'cache-control': 'max-age=60, stale-if-error=600',
        age: isDown ? '0' : '90',
      })
      .end('{}')
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = defineUpstream(
    'kept',
    { origin: upstream.origin, retry: false, breaker: false },
    { ask: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown(), cache: true }) },
  )
  const kept = base
    .required('one', () => ask({ id: 'a' }))
    .each('list', () => [ask({ id: 'b' }), ask({ id: 'c' })])
    .each('loss', () => [ask({ id: 'd' }), ask({ id: String(isDown) })], { minSuccess: 1, fallback: null })
    .required('asked', args => Promise.all(['e', 'f'].map(id => args.ask(ask({ id })))))
    .reply(z.null(), () => null)
  t.same(documented(kept, (await fanOut(kept, {}, { runtime })).sources), {
    one: 'ok',
    list: 'ok',
    loss: 'ok',
    asked: 'ok',
  })
  isDown = true
  const { sources } = await fanOut(kept, {}, { runtime })
  t.match(sources, {
    one: { cache: 'stale', age: Number, ttl: Number },
    list: { cache: 'stale' },
    loss: { cache: 'stale' },
  })
  t.same(documented(kept, sources), { one: 'stale', list: 'stale', loss: 'partial', asked: 'stale' })
})

test('the outcome of a truncated list is as documented, whole and failed', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json({}, request.url === '/404' ? 404 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)
  const truncated = (first: string | number) =>
    base
      .each('list', () => [first, 'b', 'c'].map(id => ask({ id })), { maxItems: 2, overflow: 'truncate' })
      .reply(z.null(), () => null)
  const { sources } = await fanOut(truncated('a'), {}, { runtime })
  t.equal(sources.list.omitted, 1)
  t.same(documented(truncated('a'), sources), { list: 'partial' })
  const problem = await problemOf(fanOut(truncated(404), {}, { runtime }))
  t.equal(problem.sources['list']?.omitted, 1)
  t.same(documented(truncated(404), problem.sources), { list: 'failed' })
})

test('the outcome of context() is as documented, whatever it asks', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json({}, request.url === '/404' ? 404 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)
  const asking = (ids: readonly (string | number)[], isCaught = false) =>
    base
      .context(async ({ ask: answerOf }) => {
        const answers = await Promise.allSettled(ids.map(id => answerOf(ask({ id }))))
        const failed = answers.find(({ status }) => status === 'rejected')
        if (failed !== undefined && !isCaught) throw (failed as PromiseRejectedResult).reason
        return 1
      })
      .required('one', () => 1)
      .reply(z.null(), () => null)
  for (const [ids, isCaught, state] of [
    [['a'], false, 'ok'],
    [['a', 'b'], false, 'ok'],
    [[404], true, 'ok'],
    [[404, 'b'], true, 'ok'],
  ] as const) {
    const whole = asking(ids, isCaught)
    t.same(documented(whole, (await fanOut(whole, {}, { runtime })).sources), { context: state, one: 'ok' }, state)
  }
  t.same(documented(asking([]), (await fanOut(asking([]), {}, { runtime })).sources), { one: 'ok' })
  for (const ids of [[404], ['a', 404]]) {
    const failing = asking(ids)
    t.same(documented(failing, (await problemOf(fanOut(failing, {}, { runtime }))).sources), {
      context: 'failed',
      one: 'cancelled',
    })
  }
})

test('the outcome of a step that asks calls is as documented', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json({}, request.url === '/404' ? 404 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask: one } = oracleAt(upstream.origin)
  const answers = (ids: readonly (string | number)[]) => ids.map(id => one({ id }))
  const whole = base
    .required('several', ({ ask }) => Promise.all(answers(['a', 'b']).map(ask)))
    .required('caught', async ({ ask }) => ask(one({ id: 404 })).catch(() => 1))
    .optional('lost', ({ ask }) => Promise.all(answers(['a', 404]).map(ask)), { fallback: null })
    .optional('none', async ({ ask }) => ((await ask(one({ id: 'a' }))) === 1 ? 1 : skip), { fallback: null })
    .each('list', async ({ ask }) => (await ask(one({ id: 'a' })), answers(['b', 'c'])))
    .each('empty', async ({ ask }) => (await ask(one({ id: 404 })), answers(['b'])), { minSuccess: 0, fallback: null })
    .firstOf('race', async ({ ask }) => (await ask(one({ id: 'a' })), answers(['b', 404])))
    .reply(z.null(), () => null)
  const { sources } = await fanOut(whole, {}, { runtime })
  t.same(documented(whole, sources), {
    several: 'ok',
    caught: 'ok',
    lost: 'fallback',
    none: 'skipped',
    list: 'ok',
    empty: 'fallback',
    race: 'ok',
  })
  t.same(
    Object.values(sources).map(({ calls }) => calls),
    [2, 1, 2, 1, 3, 1, 3],
  )
  const failing = base
    .required('one', ({ ask }) => Promise.all(answers(['a', 404]).map(ask)))
    .reply(z.null(), () => null)
  t.same(documented(failing, (await problemOf(fanOut(failing, {}, { runtime }))).sources), { one: 'failed' })
})

test('the source of context() is optional in the document, and is in that of its aggregate only', t => {
  const described = (name: string, hasContext: boolean) => {
    const route = aggregate(name, { url: `/${name}` })
    return (hasContext ? route.context(() => 1) : route).required('one', () => 1).reply(z.null(), () => null)
  }
  const {
    components: { schemas = {} },
  } = openapiDocument([described('guarded', true), described('plain', false)]) as unknown as Document
  t.match(schemas['GuardedReply'], {
    properties: { sources: { properties: { context: Object, one: Object }, required: ['one'] } },
  })
  t.match(schemas['PlainReply'], {
    properties: { sources: { properties: { context: undefined, one: Object }, required: ['one'] } },
  })
  t.match(schemas['ContextOutcome'], {
    anyOf: [{ $ref: '#/components/schemas/Outcome' }, { $ref: '#/components/schemas/ListOutcome' }],
  })
  t.end()
})

test('the description of a list that truncates says how many items it asks', t => {
  const list = base.each('list', () => [], { maxItems: 7, overflow: 'truncate' }).reply(z.null(), () => null)
  t.match(documentedSources(list), [
    {
      description:
        'Several calls. If one fails, the request fails. At most 7 items are called; the others are omitted, and the ' +
        'state is `partial`.',
    },
  ])
  t.end()
})

test('the outcome of pages is as documented, in every state', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json({}, request.url === '/404' ? 404 : 200))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)
  const paged = (second: string | number | undefined, options: object = {}) =>
    base
      .pages('list', () => ask({ id: 'a' }), {
        next: (_, index) => (index === 0 && second !== undefined ? ask({ id: second }) : undefined),
        ...options,
      })
      .reply(z.null(), () => null)
  for (const [described, state, omitted] of [
    [paged('b'), 'ok', undefined],
    [paged(404, { onLoss: 'keep' }), 'partial', undefined],
    [paged('b', { maxPages: 1, overflow: 'truncate' }), 'partial', null],
  ] as const) {
    const { sources } = await fanOut(described, {}, { runtime })
    t.same([documented(described, sources), sources.list.omitted], [{ list: state }, omitted])
  }
  const kept = paged('b', { onLoss: 'keep' })
  t.same(documented(kept, (await fanOut(kept, {}, { runtime, shedOptional: true })).sources), { list: 'fallback' })
  for (const described of [paged(404), paged('b', { maxPages: 1 })])
    t.same(documented(described, (await problemOf(fanOut(described, {}, { runtime }))).sources), { list: 'failed' })
})

test('the description of pages names their limit and the handling of a lost one', t => {
  const descriptionOf = (options: object) => {
    const pages = base.pages('list', () => oracleAt('http://a.test').ask({ id: 1 }), { next: () => null, ...options })
    return documentedSources(pages.reply(z.null(), () => null))[0]?.description
  }
  t.equal(descriptionOf({}), 'Pages, one call each. If one fails, the request fails.')
  t.equal(
    descriptionOf({ onLoss: 'keep', maxPages: 7, overflow: 'truncate' }),
    'Pages, one call each. If one fails, the pages before it are used, and the state is `partial`. At most 7 pages ' +
      'are called; the others are omitted, and the state is `partial`.',
  )
  t.end()
})

test('an undocumented field is detected', async t => {
  const step = base.required('one', () => 1).reply(z.null(), () => null)
  const sent: Sent = { state: 'ok', start: 1, ms: 1, attempts: 1 }
  t.same(documented(step, { one: sent }), { one: 'ok' })
  t.throws(() => documented(step, { one: { ...sent, code: 'INTERNAL' } }), /code/)
  t.throws(() => documented(step, { one: { ...sent, state: 'fallback' } }))
})
