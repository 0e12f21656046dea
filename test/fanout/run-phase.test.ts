import { mock } from 'node:test'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut, startRun } from '../../src/fanout/fan-out.ts'
import { enter, Phase, transitions, type PhaseName } from '../../src/fanout/run-phase.ts'
import { documentedPhases } from '../helpers/documented-phases.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const deadline = 50

test('docs/design.md has the phases of a run and their transitions', async t => {
  t.same(await documentedPhases('The phases of a run'), Object.entries(transitions))
})

test('a transition that is not in the table throws', t => {
  for (const from of Object.keys(Phase) as PhaseName[]) {
    for (const to of Object.keys(Phase) as PhaseName[]) {
      if (transitions[from].includes(to)) t.equal(enter(Phase[from], Phase[to]), Phase[to])
      else
        t.throws(() => enter(Phase[from], Phase[to]), { message: `run: there is no transition from ${from} to ${to}` })
    }
  }
  t.end()
})

/** How a function of the aggregate returns; a pending one is ended by the test. */
type Manner = 'sync' | 'async' | 'pending' | 'throws' | 'refuses' | 'rejects'
const manner = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Manner>('sync') },
  { weight: 4, arbitrary: fc.constantFrom<Manner>('async', 'pending') },
  { weight: 1, arbitrary: fc.constantFrom<Manner>('throws', 'refuses', 'rejects') },
)

const stepPlan = fc.record({
  kind: fc.constantFrom('required', 'optional', 'each', 'firstOf', 'value'),
  isUnsafe: fc.boolean(),
  isDeaf: fc.boolean(),
  needsPrevious: fc.boolean(),
  timeout: fc.option(fc.constantFrom(5, 30), { nil: undefined }),
  manner,
})

const action = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('answer', 'release', 'turn') },
    { weight: 1, arbitrary: fc.constantFrom('fail', 'bug', 'tick', 'cancel') },
  ),
  pick: fc.nat(20),
  ms: fc.constantFrom(5, 30, deadline),
})

const history = fc.record({
  isSync: fc.boolean(),
  context: fc.option(fc.record({ manner, asks: fc.boolean() }), { nil: undefined, freq: 2 }),
  steps: fc.array(stepPlan, { maxLength: 4 }),
  merge: manner,
  onReply: fc.option(manner, { nil: undefined }),
  actions: fc.array(action, { maxLength: 30 }),
  watcher: fc.record({ at: fc.nat(12), type: fc.constantFrom('nothing', 'nothing', 'throw', 'cancel', 'fail') }),
})

interface LooseBuilder {
  context(fn: unknown): LooseBuilder
  required(name: string, fn: unknown, options: object): LooseBuilder
  optional(name: string, fn: unknown, options: object): LooseBuilder
  each(name: string, fn: unknown, options: object): LooseBuilder
  firstOf(name: string, fn: unknown, options: object): LooseBuilder
  reply(schema: z.ZodType, merge: unknown): AnyAggregate & { onReply(fn: unknown): AnyAggregate }
}

/** Makes functions that return as planned, and keeps those that the test has to end. */
class Functions {
  readonly pending: (() => void)[] = []

  of<T>(manner: Manner, make: (args: never) => T): (args: never) => unknown {
    return args => {
      if (manner === 'throws') throw new Error('bug')
      if (manner === 'refuses') return refuse(404, 'Not here.')
      if (manner === 'rejects') return Promise.reject(new UpstreamError('UPSTREAM_JSON', 'oracle'))
      if (manner === 'async') return Promise.resolve().then(() => make(args))
      if (manner === 'sync') return make(args)
      return new Promise<T>((resolve, reject) => {
        this.pending.push(() => {
          try {
            resolve(make(args))
          } catch (error) {
            reject(error)
          }
        })
      })
    }
  }
}

type History = typeof history extends fc.Arbitrary<infer T> ? T : never

function aggregateOf({ context, steps, merge, onReply }: History, functions: Functions): AnyAggregate {
  let builder = aggregate('random', { url: '/random', deadline }) as unknown as LooseBuilder
  if (context !== undefined) {
    const { manner, asks } = context
    builder = builder.context(
      functions.of(manner, ({ ask }: { ask: (call: unknown) => unknown }) =>
        asks ? ask(oracle.tell({ id: 'context' })) : 'context',
      ),
    )
  }
  for (const [index, { kind, isUnsafe, needsPrevious, timeout, manner }] of steps.entries()) {
    const call = (id: string) => (isUnsafe ? oracle.tell({ id }) : oracle.ask({ id }))
    const one = () => call(`${index}.0`)
    const many = () => times(3, item => call(`${index}.${item}`))
    const options = {
      ...(needsPrevious && index > 0 && { needs: [`s${index - 1}`] }),
      ...(timeout !== undefined && { timeout }),
    }
    if (kind === 'optional')
      builder = builder.optional(`s${index}`, functions.of(manner, one), { fallback: null, ...options })
    else if (kind === 'each')
      builder = builder.each(`s${index}`, functions.of(manner, many), {
        concurrency: 2,
        minSuccess: index % 2,
        fallback: null,
        ...options,
      })
    else if (kind === 'firstOf') builder = builder.firstOf(`s${index}`, functions.of(manner, many), options)
    else
      builder = builder.required(
        `s${index}`,
        functions.of<unknown>(manner, kind === 'value' ? () => index : one),
        options,
      )
  }
  const replied = builder.reply(
    Any,
    functions.of(merge, () => 'merged'),
  )
  return onReply === undefined ? replied : replied.onReply(functions.of(onReply, () => undefined))
}

/** The errors of a result, its causes included. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : ''
}

test('a run takes only the transitions of the table and settles once, whatever happens in which order', async t => {
  const results = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(history, async plan => {
      const functions = new Functions()
      const deaf = new Set(plan.steps.flatMap(({ isDeaf }, index) => (isDeaf ? [`/${index}.`] : [])))
      const runtime = heldRuntime({ deaf: path => deaf.has(path.slice(0, 3)), isSync: plan.isSync })
      const ended = new Set<number>()
      const end = (pick: number, act: (held: (typeof runtime.calls)[number]) => void) => {
        const open = Array.from(runtime.calls.keys()).filter(index => !ended.has(index))
        const index = open[pick % open.length]
        if (index === undefined) return
        ended.add(index)
        act(runtime.calls[index] as (typeof runtime.calls)[number])
      }
      const endAll = () => {
        while (ended.size < runtime.calls.length) end(0, held => held.answer(1))
        for (const release of functions.pending.splice(0)) release()
      }
      const settled: string[] = []
      const events: RunEvent[] = []
      let isWatched = true
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const run = startRun(
          aggregateOf(plan, functions),
          {},
          {
            runtime,
            onEvent(event) {
              if (events.push(event) !== plan.watcher.at) return
              if (plan.watcher.type === 'cancel') run.cancel('gone')
              if (plan.watcher.type === 'fail') end(0, held => held.fail(new UpstreamError('UPSTREAM_JSON', 'oracle')))
              if (plan.watcher.type !== 'throw') return
              isWatched = false
              throw new Error('watcher')
            },
          },
        )
        run.startFor({
          resolve: () => settled.push('reply'),
          reject: error => {
            if (/no transition/.test(messagesOf(error))) throw error
            settled.push(error instanceof Problem ? error.code : String(error))
          },
        })
        for (const { type, pick, ms } of plan.actions) {
          if (type === 'answer') end(pick, held => held.answer(`answer ${pick}`))
          else if (type === 'fail') end(pick, held => held.fail(new UpstreamError('UPSTREAM_JSON', 'oracle')))
          else if (type === 'bug') end(pick, held => held.fail(new TypeError('bug')))
          else if (type === 'release') functions.pending.splice(pick % functions.pending.length, 1)[0]?.()
          else if (type === 'tick') mock.timers.tick(ms)
          else if (type === 'cancel') run.cancel('gone')
          else await turn()
        }
        // The deadline and the grace period settle the run, even if no call and no function ends.
        await turn()
        mock.timers.tick(deadline)
        await turn()
        await turn()
        mock.timers.tick(25)
        await turn()
        t.equal(settled.length, 1, 'it settles, and once')
        t.ok(run.isClosed && !run.isExpired)
        const told = events.length
        endAll()
        await turn()
        endAll()
        await turn()
        t.equal(settled.length, 1, 'what ends late changes nothing')
        t.equal(events.length, told)
        t.equal(run.abort.size, 0, 'nothing listens to its abort')
      } finally {
        mock.timers.reset()
      }
      const [result = ''] = settled
      results.set(result, (results.get(result) ?? 0) + 1)
      if (!isWatched) return
      const last = events.at(-1)
      t.match(last, {
        type: 'run ended',
        code: result === 'reply' ? undefined : result === 'gone' ? 'CANCELLED' : result,
      })
      for (const [index] of plan.steps.entries()) {
        const own = events.flatMap(event =>
          (event.type === 'step started' || event.type === 'step ended') && event.step === index ? [event.type] : [],
        )
        t.ok(['', 'step started', 'step started,step ended'].includes(own.join()), own.join())
      }
    }),
    { numRuns: 2000 },
  )
  for (const result of ['reply', 'gone', 'INTERNAL', 'DEADLINE_EXCEEDED', 'UPSTREAM_JSON', 'REFUSED'])
    t.ok((results.get(result) ?? 0) > 0, `${result} is among the results`)
})

test('a run that its caller cancels within the schema of the reply rejects, and once', async t => {
  const controller = new AbortController()
  const schema = z.unknown().transform(value => {
    controller.abort('gone')
    return value
  })
  const described = aggregate('cancelled', { url: '/cancelled' })
    .required('a', () => 1)
    .reply(schema, ({ a }) => a)
  const events: RunEvent[] = []
  const reply = fanOut(
    described,
    {},
    {
      runtime: heldRuntime(),
      signal: controller.signal,
      onEvent: event => {
        events.push(event)
      },
    },
  )
  t.equal(await reply.catch((error: unknown) => error), 'gone')
  t.equal(events.filter(({ type }) => type === 'run ended').length, 1)
})

test('a watcher that ends the last unsafe call while steps are cancelled ends the run once', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/post', isSync: true })
  const described = aggregate('watched', { url: '/watched' })
    .required('post', () => oracle.tell({ id: 'post' }))
    .required('slow', () => oracle.ask({ id: 'slow' }))
    .required('bad', () => oracle.ask({ id: 'bad' }))
    .reply(Any, () => 1)
  const { reply, events } = watched(described, {
    runtime,
    onEvent: event => {
      if (event.type === 'step ended' && event.state === 'cancelled') runtime.at('/post').fail(new Error('lost'))
    },
  })
  await turn()
  runtime.at('/bad').fail(new UpstreamError('UPSTREAM_JSON', 'oracle'))
  t.equal((await problemOf(reply)).code, 'UPSTREAM_JSON')
  t.equal(events.filter(({ type }) => type === 'run ended').length, 1)
})

test('a merge that waits at the deadline is not held by an unsafe call that ignores its abort', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/1' })
  const described = aggregate('late', { url: '/late', deadline: 40 })
    .firstOf('race', () => times(2, id => oracle.tell({ id })))
    .reply(Any, () => new Promise(() => {}))
  const { reply } = watched(described, { runtime })
  runtime.at('/0').answer('won')
  t.equal((await problemOf(reply)).code, 'DEADLINE_EXCEEDED')
})
