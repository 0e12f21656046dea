import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import type { AskArgs } from '../../../src/fanout/inference.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { answeringRuntime } from '../../helpers/answering-runtime.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { oracle } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'
import { turn } from '../../helpers/turn.ts'
import { watched } from '../../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('asking', { url: '/asking', deadline: 10_000 })
const call = (id: string | number) => oracle.ask({ id })
const answering = () => answeringRuntime(path => path.slice(1))

test('asked and listed calls of an each together obey its concurrency', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.nat(50), { minLength: 5, maxLength: 10 }),
      async (asked, listed, isAwaited, isSync, concurrency, picks) => {
        const runtime = heldRuntime({ isSync })
        const described = base
          .each(
            'all',
            async ({ ask }) => {
              const answers = times(asked, id => ask(call(`asked-${id}`)))
              if (isAwaited) await Promise.all(answers)
              return times(listed, id => call(`listed-${id}`))
            },
            { concurrency },
          )
          .reply(Any, ({ all }) => all)
        const { reply } = watched(described, { runtime })
        const open = new Set<number>()
        for (let known = 0, ended = 0; ; ended++) {
          await turn()
          for (; known < runtime.calls.length; known++) open.add(known)
          for (const index of open) if (runtime.calls[index]?.cut !== undefined) open.delete(index)
          if (open.size > concurrency) return false
          const next = [...open][(picks[ended % picks.length] as number) % Math.max(1, open.size)]
          if (next === undefined) break
          open.delete(next)
          runtime.calls[next]?.answer(runtime.calls[next]?.path)
        }
        const { data } = await reply
        return JSON.stringify(data) === JSON.stringify(times(listed, id => `/listed-${id}`))
      },
    ),
    { numRuns: 100 },
  )
  t.pass('held for 100 lists')
})

test('asked calls that wait for the concurrency of an each go on in order, without a deep stack', async t => {
  const count = 20_000
  const runtime = heldRuntime({ isSync: true })
  const described = base
    .each(
      'all',
      async ({ ask }) => {
        const answers = times(count, id => ask(call(id)))
        return times(Number((await Promise.all(answers)).length === count), id => call(`listed-${id}`))
      },
      { concurrency: 1, maxItems: count },
    )
    .reply(Any, ({ all }) => all)
  const { reply } = watched(described, { runtime })
  for (let sent = 0; sent < count; sent++) runtime.calls[sent]?.answer(sent)
  await turn()
  runtime.at('/listed-0').answer('last')
  t.same((await reply).data, ['last'])
  t.equal(runtime.calls.length, count + 1)
})

test('a step asks at most 100 calls, and the next one is refused', async t => {
  const runtime = answering()
  const refused: unknown[] = []
  const described = base
    .required('many', async ({ ask }) => {
      const asked = times(101, id => ask(call(id)))
      await asked[100]?.catch((error: unknown) => refused.push(error))
      return (await Promise.all(asked.slice(0, 100))).length
    })
    .reply(Any, ({ many }) => many)
  const { data, sources } = await fanOut(described, {}, { runtime })
  t.equal(data, 100)
  t.match(refused, [
    {
      code: 'TOO_MANY_ITEMS',
      source: 'many',
      message: /more than 100 calls by ask: move the calls to an each with maxItems$/,
    },
  ])
  t.match(sources.many, { state: 'ok', calls: 100, ok: 100, failed: [] })
  t.equal(runtime.asked.length, 100)
})

test('the limit on asked calls of an each is its maxItems', async t => {
  const described = base
    .each('all', async ({ ask }) => (await Promise.all([ask(call(1)), ask(call(2)), ask(call(3))]), []), {
      maxItems: 2,
    })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: answering() })), {
    code: 'TOO_MANY_ITEMS',
    statusCode: 400,
    detail: 'all asks for more calls than its limit: more than 2 calls by ask: raise maxItems.',
  })
})

test('the limit on asked calls of pages is their maxPages, and their pages obey the concurrency with them', async t => {
  const described = (asked: number) =>
    base
      .pages(
        'all',
        ({ ask }) => {
          for (let id = 0; id < asked; id++) void ask(call(`asked-${id}`))
          return call('page-0')
        },
        {
          next: (_, index) => (index === 0 ? times(2, at => call(`page-${at + 1}`)) : undefined),
          maxPages: 3,
          concurrency: 2,
        },
      )
      .reply(Any, ({ all }) => all)
  const runtime = heldRuntime()
  const { reply } = watched(described(1), { runtime })
  const sent = () => runtime.calls.map(({ path }) => path).join(' ')
  ;(await runtime.arrived('/page-0')).answer(0)
  ;(await runtime.arrived('/page-1')).answer(1)
  await turn()
  t.equal(sent(), '/asked-0 /page-0 /page-1 /page-2', 'one page at once beside the asked call')
  runtime.at('/page-2').answer(2)
  t.match(await reply, { data: [0, 1, 2], sources: { all: { state: 'ok', calls: 4, ok: 3 } } })
  const refused = base
    .pages(
      'all',
      async ({ ask }) => {
        await Promise.all(times(4, id => ask(call(id))))
        return call('page')
      },
      { next: () => undefined, maxPages: 3 },
    )
    .reply(Any, ({ all }) => all)
  t.match(await problemOf(fanOut(refused, {}, { runtime: answering() })), { code: 'TOO_MANY_ITEMS' })
})

test('context() asks at most 100 calls', async t => {
  const described = base.context(({ ask }) => Promise.all(times(101, id => ask(call(id))))).reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: answering() })), {
    code: 'TOO_MANY_ITEMS',
    detail:
      'context asks for more calls than its limit: more than 100 calls by ask: move the calls to an each with maxItems.',
  })
})

test('the error of a step that asks too many calls names the option that the step has', async t => {
  const many = async ({ ask }: AskArgs) => void (await Promise.all(times(101, id => ask(call(id)))))
  const move = 'move the calls to an each with maxItems.'
  for (const [described, fix] of [
    [base.required('step', many as never).reply(Any, () => 1), move],
    [base.firstOf('step', many as never).reply(Any, () => 1), move],
    [base.each('step', many as never).reply(Any, () => 1), 'raise maxItems.'],
    [base.pages('step', many as never, { next: () => undefined }).reply(Any, () => 1), 'raise maxPages.'],
  ] as const)
    t.match(await problemOf(fanOut(described, {}, { runtime: answering() })), {
      code: 'TOO_MANY_ITEMS',
      detail: `step asks for more calls than its limit: more than 100 calls by ask: ${fix}`,
    })
})

test('too many calls after an asked answer are blamed on the upstream', async t => {
  for (const step of ['ask', 'list'] as const) {
    const described = base
      .each(
        'all',
        async ({ ask }) => {
          const count = Number(await ask(call(3)))
          const calls = times(count, id => call(id))
          return step === 'list' ? calls : (await Promise.all(calls.map(each => ask(each))), [])
        },
        { maxItems: 2 },
      )
      .reply(Any, () => 1)
    t.match(await problemOf(fanOut(described, {}, { runtime: answering() })), {
      code: 'UPSTREAM_TOO_MANY_ITEMS',
      statusCode: 502,
    })
  }
})

test('a call with an invalid input is blamed on the upstream after an answer, and on the caller before it', async t => {
  const { strict } = defineUpstream(
    'strict',
    { origin: 'http://strict.test' },
    { strict: operation({ path: '/x/{id}', params: z.object({ id: z.string() }), output: Any }) },
  )
  for (const isAsked of [true, false]) {
    const step = base
      .required('sure', async ({ ask }) => {
        if (isAsked) await ask(call('a'))
        return strict({ id: '..' })
      })
      .reply(Any, () => 1)
    const context = base
      .context(async ({ ask }) => {
        if (isAsked) await ask(call('a'))
        return ask(strict({ id: '..' }))
      })
      .reply(Any, () => 1)
    for (const described of [step, context])
      t.match(
        await problemOf(fanOut(described, {}, { runtime: answering() })),
        isAsked
          ? { code: 'UPSTREAM_CALL_INPUT_INVALID', statusCode: 502 }
          : { code: 'CALL_INPUT_INVALID', statusCode: 400 },
      )
  }
})

test('an asked call that fails does not blame later inputs on the upstream', async t => {
  const described = base
    .required('sure', async ({ ask }) => {
      await ask(call('bad')).catch(() => {})
      return oracle.ask({ id: '' })
    })
    .reply(Any, () => 1)
  const runtime = answeringRuntime(() => {
    throw new UpstreamError('UPSTREAM_RESET', 'oracle')
  })
  t.match(await problemOf(fanOut(described, {}, { runtime })), { code: 'CALL_INPUT_INVALID' })
})
