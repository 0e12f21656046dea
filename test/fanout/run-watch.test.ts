import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut, startRun } from '../../src/fanout/fan-out.ts'
import type { RunHandle } from '../../src/fanout/run-handle.ts'
import { watchOf } from '../../src/fanout/run-watch.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { failure } from '../helpers/failure.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const asking = aggregate('asking', { url: '/asking/{id}', params: z.object({ id: z.string() }) })
  .context(({ params: { id } }) => id)
  .required('it', ({ context }) => oracle.ask({ id: context }))
  .reply(Any, ({ it }) => it)
const input = { params: { id: '7' } }

/** The events that a subscriber of the channel receives while the test runs. */
function published(t: Test, then: (event: RunEvent) => void = () => {}): { events: RunEvent[]; end: () => void } {
  const events: RunEvent[] = []
  const hear = (event: unknown) => {
    events.push(event as RunEvent)
    then(event as RunEvent)
  }
  subscribe('headwaters:event', hear)
  const end = () => {
    unsubscribe('headwaters:event', hear)
  }
  t.teardown(end)
  return { events, end }
}

test('an event names its run, its step, its upstream and its operation', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(origin)
  const described = aggregate('named', { method: 'POST', url: '/named/{id}', params: z.object({ id: z.string() }) })
    .context(({ ask: answerOf }) => answerOf(ask({ id: 'who' })))
    .required('first', () => ask({ id: 'first' }))
    .reply(Any, () => 1)
  const { reply, events } = watched(described, { runtime }, { ...input, headers: { 'x-request-id': 'abc' } })
  await reply
  const [{ run } = { run: undefined }] = events
  t.match(run, { id: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/, aggregate: 'named', method: 'POST' })
  t.match(run, { url: '/named/{id}', requestId: 'abc', traceId: undefined })
  t.ok(events.every(event => event.run === run))
  const names = { upstream: 'oracle', operation: 'oracle.ask' }
  t.match(events, [
    { type: 'run started' },
    { type: 'step started', step: -1, stepName: 'context' },
    { type: 'attempt started', step: -1, stepName: 'context', call: 0, attempt: 1, ...names },
    { type: 'attempt ended', step: -1, stepName: 'context', call: 0, attempt: 1, ...names },
    { type: 'call ended', step: -1, stepName: 'context', call: 0, ...names },
    { type: 'step ended', step: -1, stepName: 'context' },
    { type: 'step started', step: 0, stepName: 'first' },
    { type: 'attempt started', step: 0, stepName: 'first', ...names },
    { type: 'attempt ended', step: 0, stepName: 'first', ...names },
    { type: 'call ended', step: 0, stepName: 'first', ...names },
    { type: 'step ended', step: 0, stepName: 'first' },
    { type: 'run ended' },
  ])
  t.equal(events.length, 12)
})

test('two runs of one aggregate have different ids, and a run without the header has no request id', async t => {
  const runtime = answeringRuntime(() => 1)
  const one = watched(asking, { runtime }, input)
  const two = watched(asking, { runtime }, input)
  await Promise.all([one.reply, two.reply])
  t.not(one.events[0]?.run.id, two.events[0]?.run.id)
  t.equal(one.events[0]?.run.requestId, undefined)
})

test('the run of an event has the id of its trace', async t => {
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 }
  const events: RunEvent[] = []
  const watch = watchOf(asking, { headers: {}, trace } as unknown as RunHandle, event => {
    events.push(event)
  })
  watch?.notify({ type: 'run started', at: 0 })
  t.match(events, [{ type: 'run started', run: { traceId: trace.traceId } }])
})

test('a listener that cancels the run at its start receives its end, and nothing of the aggregate runs', async t => {
  const runtime = heldRuntime()
  const controller = new AbortController()
  const described = aggregate('cancelled', { url: '/cancelled' })
    .context(() => t.fail('context() was called'))
    .required('it', () => oracle.ask({ id: 'it' }))
    .reply(Any, () => 1)
  const told: unknown[] = []
  const reason = await failure(
    fanOut(
      described,
      {},
      {
        runtime,
        signal: controller.signal,
        onEvent: event => {
          told.push([event.type, event.at === 0, 'code' in event && event.code])
          if (event.type === 'run started') controller.abort('gone')
        },
      },
    ),
  )
  t.equal(reason, 'gone')
  t.same(told, [
    ['run started', true, false],
    ['run ended', false, 'CANCELLED'],
  ])
  t.equal(runtime.calls.length, 0)
})

test('a listener that cancels the run at the start of a step receives the end of the step', async t => {
  const runtime = heldRuntime()
  const controller = new AbortController()
  const events: RunEvent[] = []
  await failure(
    fanOut(asking, input, {
      runtime,
      signal: controller.signal,
      onEvent: event => {
        events.push(event)
        if (event.type === 'step started') controller.abort('gone')
      },
    }),
  )
  t.match(events.slice(1), [
    { type: 'step started', step: 0 },
    { type: 'step ended', step: 0, state: 'cancelled' },
    { type: 'run ended', code: 'CANCELLED' },
  ])
  t.equal(runtime.calls.length, 0)
})

test('the channel publishes the objects that onEvent receives, in the same order, also if onEvent cancels the run', async t => {
  const { events: heard } = published(t)
  for (const type of ['run started', 'step started', 'step ended', 'nothing']) {
    heard.length = 0
    const controller = new AbortController()
    const told: RunEvent[] = []
    await fanOut(asking, input, {
      runtime: answeringRuntime(() => 1),
      signal: controller.signal,
      onEvent: event => {
        told.push(event)
        if (event.type === type) controller.abort(new Error('gone'))
      },
    }).catch(() => {})
    t.equal(told.length, heard.length, type)
    t.ok(told.length >= 2)
    t.ok(
      told.every((event, index) => event === heard[index]),
      type,
    )
    t.same([told[0]?.type, told.at(-1)?.type], ['run started', 'run ended'])
  }
})

test('the order is the same if a subscriber of the channel cancels the run', async t => {
  const controller = new AbortController()
  const { events: heard } = published(t, event => {
    if (event.type === 'step started') controller.abort('gone')
  })
  const told: RunEvent[] = []
  await failure(
    fanOut(asking, input, {
      runtime: heldRuntime(),
      signal: controller.signal,
      onEvent: event => {
        told.push(event)
      },
    }),
  )
  t.same(
    told.map(({ type }) => type),
    ['run started', 'step started', 'step ended', 'run ended'],
  )
  t.ok(told.every((event, index) => event === heard[index]))
})

test('an onEvent that throws is not called again, and the channel publishes the rest of the run', async t => {
  const { events: heard } = published(t)
  let told = 0
  const problem = await problemOf(
    fanOut(asking, input, {
      runtime: heldRuntime(),
      onEvent: () => {
        if (++told === 2) throw new Error('the listener broke')
      },
    }),
  )
  t.equal(problem.code, 'INTERNAL')
  t.equal(told, 2)
  t.match(heard, [
    { type: 'run started' },
    { type: 'step started', step: 0 },
    { type: 'step ended', step: 0, state: 'cancelled' },
    { type: 'run ended', code: 'INTERNAL' },
  ])
})

test('a subscriber alone receives all events, those of attempts and waits too', async t => {
  const { events: heard } = published(t)
  const { origin } = await httpUpstream(t, ({ json }) => json('well'))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(origin, { concurrency: 1 })
  const described = aggregate('heard', { url: '/heard' })
    .each('all', () => [ask({ id: 'a' }), ask({ id: 'b' })])
    .reply(Any, ({ all }) => all)
  await fanOut(described, {}, { runtime })
  t.same(
    Object.entries(Object.groupBy(heard, ({ type }) => type)).map(([type, list]) => [type, list.length]),
    [
      ['run started', 1],
      ['step started', 1],
      ['attempt started', 2],
      ['attempt ended', 2],
      ['call waited', 1],
      ['call ended', 2],
      ['step ended', 1],
      ['run ended', 1],
    ],
  )
})

test('a subscriber receives all events of a run or none of them', async t => {
  const runtime = heldRuntime()
  const before = startRun(asking, input, { runtime })
  const { events: heard, end } = published(t)
  const during = startRun(asking, input, { runtime })
  t.same([before.isWatched, during.isWatched], [false, true], 'without an observer no event is made')
  const replies = [before.start(), during.start()]
  end()
  t.equal(startRun(asking, input, { runtime }).isWatched, false)
  t.same(
    heard.map(({ type }) => type),
    ['run started', 'step started'],
  )
  for (const { answer } of runtime.calls) answer(1)
  await Promise.all(replies)
  await turn()
  t.equal(heard.length, 2, 'a subscriber that has left receives nothing')
})

test('an onEvent that is not a function is refused with an example', async t => {
  await t.rejects(fanOut(asking, input, { runtime: heldRuntime(), onEvent: 'log' as never }), {
    name: 'TypeError',
    message:
      'fanOut: onEvent must be a function such as ' +
      'event => console.log(event.type, event.run.aggregate), got a string',
  })
})
