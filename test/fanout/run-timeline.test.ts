import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import { failure } from '../helpers/failure.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { notedTimeline } from '../helpers/noted-timeline.ts'
import { oracle } from '../helpers/oracle.ts'

const Any = z.unknown()
const { ask } = oracle
const base = aggregate('followed', { url: '/followed', deadline: 20_000 })
const one = base.required('first', () => ask({ id: 'one' })).reply(Any, ({ first }) => first)
const lost = () => {
  throw new UpstreamError('UPSTREAM_RESET', 'oracle')
}

test('a timeline receives each call with its operation and path, the events of the steps, and the end', async t => {
  const timeline = notedTimeline()
  const declared = base
    .required('first', () => ask({ id: 'one' }))
    .optional('second', () => ask({ id: 'two' }), { needs: ['first'], fallback: null })
    .reply(Any, () => 1, { status: 201 })
  const runtime = answeringRuntime(path => (path === '/two' ? lost() : 1))
  await startRun(declared, {}, { runtime, timeline }).start()
  t.same(timeline.notes, [
    '0 step started',
    '0.0 sent oracle.ask /one',
    '0 step ended',
    '1 step started',
    '1.0 sent oracle.ask /two',
    '1 step ended',
    'partial 201  of 20000 ms: first=ok second=fallback',
  ])
})

test('a timeline receives the status and the code of a failed run, and the reason of a cancelled one', async t => {
  const failed = notedTimeline()
  await failure(startRun(one, {}, { runtime: answeringRuntime(lost), timeline: failed }).start())
  t.equal(failed.notes.at(-1), 'failed 502 UPSTREAM_RESET of 20000 ms: first=failed')
  const cancelled = notedTimeline()
  const run = startRun(one, {}, { runtime: heldRuntime(), timeline: cancelled, deadline: 500 })
  const reply = failure(run.start())
  run.cancel('gone')
  await reply
  t.equal(cancelled.notes.at(-1), 'cancelled  CANCELLED by gone of 500 ms: first=cancelled')
})

test('a timeline receives the waits and the ends of attempts, as a listener does', t => {
  const runtime = heldRuntime()
  t.equal(startRun(one, {}, { runtime, timeline: notedTimeline() }).isWatched, true)
  t.equal(startRun(one, {}, { runtime }).isWatched, false)
  t.end()
})

test('a timeline receives an event before the event that a listener causes by it', async t => {
  const timeline = notedTimeline()
  const run = startRun(
    one,
    {},
    {
      runtime: heldRuntime(),
      timeline,
      onEvent: ({ type }) => {
        if (type === 'step started') run.cancel('enough')
      },
    },
  )
  t.equal(await failure(run.start()), 'enough')
  t.same(timeline.notes, [
    '0 step started',
    '0 step ended',
    'cancelled  CANCELLED by enough of 20000 ms: first=cancelled',
  ])
})

test('a timeline receives nothing after the end of its run', async t => {
  const timeline = notedTimeline()
  const runtime = heldRuntime({ deaf: () => true })
  const run = startRun(one, {}, { runtime, timeline })
  const reply = failure(run.start())
  run.cancel('gone')
  await reply
  const before = [...timeline.notes]
  runtime.at('/one').answer(1)
  t.same(timeline.notes, before)
})

test('the events of a run have the id of its timeline, unless the run has an id of its own', async t => {
  const idOf = async (id?: string) => {
    const events: RunEvent[] = []
    const onEvent = (event: RunEvent) => void events.push(event)
    await startRun(one, {}, { runtime: answeringRuntime(() => 1), timeline: notedTimeline(), onEvent, id }).start()
    return events[0]?.run.id
  }
  t.equal(await idOf(), 'the id')
  t.equal(await idOf('another'), 'another')
})
