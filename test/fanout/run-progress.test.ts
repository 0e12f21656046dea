import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import type { Run } from '../../src/fanout/run.ts'
import type { RunStartOptions } from '../../src/fanout/run-options.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'

const Any = z.unknown()
const base = aggregate('followed', { url: '/followed', deadline: 20_000 })
const { ask } = oracle
const failure = new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })

/** Starts a run, and records its progress: `planned`, and each step with the state of its outcome. */
function followed(declared: AnyAggregate, options: RunStartOptions, then: (run: Run, seen: string) => void = () => {}) {
  const seen: string[] = []
  const note = (text: string) => {
    seen.push(text)
    then(run, text)
  }
  const run: Run = startRun(
    declared,
    {},
    {
      ...options,
      progress: {
        planned: () => {
          const context = declared.hooks.context && run.outcomeOf(declared.hooks.context)
          note(context === undefined ? 'planned' : `planned after ${context.state}`)
        },
        itemEnded: step => note(`item of ${step.name}`),
        pageEnded: step => note(`page of ${step.name}`),
        stepEnded: step => note(`${step.name}: ${run.outcomeOf(step)?.state}`),
      },
    },
  )
  const reply = run.start()
  // A test may look at the progress before it reads a rejection.
  reply.catch(() => {})
  return { run, reply, seen }
}

test('the progress of a run has the plan before any step starts, and each step as it ends', async t => {
  const runtime = heldRuntime()
  const events: RunEvent['type'][] = []
  const declared = base
    .required('first', () => ask({ id: 'first' }))
    .optional('second', () => ask({ id: 'second' }), { fallback: null })
    .required('last', ({ first }) => first, { needs: ['first'] })
    .reply(Any, () => 1)
  const { reply, seen, run } = followed(
    declared,
    { runtime, onEvent: ({ type }) => void events.push(type) },
    (_, text) => {
      if (text === 'planned') t.same(events, ['run started'])
    },
  )
  t.same(seen, ['planned'])
  t.match(
    run.outcomeOf(declared.steps[0] as never),
    { state: 'cancelled', attempts: 0 },
    'the first step has not ended',
  )
  runtime.at('/second').fail(failure)
  await turn()
  runtime.at('/first').answer(1)
  await reply
  t.same(seen, ['planned', 'second: fallback', 'first: ok', 'last: ok'])
})

test('the plan of a run follows the context, and a run whose context fails has none', async t => {
  const runtime = heldRuntime()
  const declared = base
    .context(() => ask({ id: 'who' }))
    .required('it', () => 1)
    .reply(Any, () => 1)
  const { reply, seen } = followed(declared, { runtime })
  t.same(seen, [])
  runtime.at('/who').answer('me')
  await reply
  t.same(seen, ['planned after ok', 'it: ok'])

  const other = heldRuntime()
  const failed = followed(declared, { runtime: other })
  other.at('/who').fail(failure)
  await problemOf(failed.reply)
  t.same(failed.seen, [])
})

test('a context without a call has no outcome, until a function of it makes a call later', async t => {
  const runtime = heldRuntime()
  const declared = base
    .context(({ ask: answerOf }) => ({ later: () => answerOf(ask({ id: 'late' })) }))
    .required('it', ({ context }) => context.later())
    .reply(Any, ({ it }) => it)
  const { reply, seen } = followed(declared, { runtime })
  t.same(seen, ['planned', 'context: ok'])
  ;(await runtime.arrived('/late')).answer(1)
  await reply
  t.same(seen, ['planned', 'context: ok', 'it: ok'])
})

test('a step that fails the run is the last one that its progress has', async t => {
  const runtime = heldRuntime()
  const declared = base
    .required('good', () => ask({ id: 'good' }))
    .required('bad', () => ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply, seen } = followed(declared, { runtime })
  runtime.at('/bad').fail(failure)
  await problemOf(reply)
  t.same(seen, ['planned', 'bad: failed'])
})

test('a run that its progress cancels at the plan starts no step', async t => {
  const runtime = heldRuntime()
  const gone = new DOMException('gone', 'AbortError')
  const declared = base.required('it', () => ask({ id: 'it' })).reply(Any, () => 1)
  const { reply, seen } = followed(declared, { runtime }, run => run.cancel(gone))
  await t.rejects(reply, gone)
  t.same(seen, ['planned'])
  t.same(runtime.calls, [])
})

test('a run that onEvent cancels has no further progress', async t => {
  const gone = new DOMException('gone', 'AbortError')
  for (const fails of [false, true]) {
    const runtime = heldRuntime()
    const declared = base.required('it', () => ask({ id: 'it' })).reply(Any, () => 1)
    const { run, reply, seen } = followed(declared, {
      runtime,
      onEvent: event => {
        if (event.type === 'step ended' && event.state !== 'cancelled') run.cancel(gone)
      },
    })
    if (fails) runtime.at('/it').fail(failure)
    else runtime.at('/it').answer(1)
    await t.rejects(reply, gone)
    t.same(seen, ['planned'])
  }
})

test('the id that a run is given is the id of its events', async t => {
  const id = '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10'
  const ids = new Set<string>()
  const declared = base.required('it', () => 1).reply(Any, () => 1)
  await startRun(declared, {}, { runtime: heldRuntime(), id, onEvent: ({ run }) => void ids.add(run.id) }).start()
  t.same([...ids], [id])
})
