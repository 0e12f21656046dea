import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import * as families from '../../src/metrics/families.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import { sendOf, serviceOf } from '../../src/upstream/call/layer.ts'
import { defineUpstream, operation, type Call } from '../../src/upstream/declare.ts'
import { createRuntime, type Runtime } from '../../src/upstream/runtime.ts'
import { countsOf, sumsOf, total, valuesOf } from '../helpers/metric-values.ts'
import { elapsed, until } from '../helpers/until.ts'

const attemptOutcomes = ['ok', 'ok', 'slow', 'busy', 'reset', 'bad', 'hang'] as const

/** The outcomes of the attempts of one call, in their order. The last one repeats. */
type CallPlan = readonly (typeof attemptOutcomes)[number][]

interface StepPlan {
  readonly kind: 'required' | 'optional' | 'each' | 'firstOf' | 'pages' | 'skipped' | 'bug'
  readonly calls: readonly CallPlan[]
  readonly minSuccess: number
  readonly needsFirst: boolean
}

interface RunPlan {
  readonly steps: readonly StepPlan[]
  readonly deadline: number
  readonly shedOptional: boolean
  /** The number of events after which the caller leaves. */
  readonly leavesAfter: number | undefined
}

const callPlan = fc.array(fc.constantFrom(...attemptOutcomes), { minLength: 1, maxLength: 3 })
const runPlan: fc.Arbitrary<RunPlan> = fc.record({
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom('required', 'optional', 'each', 'firstOf', 'pages', 'skipped', 'bug'),
      calls: fc.array(callPlan, { minLength: 1, maxLength: 4 }),
      minSuccess: fc.integer({ min: 0, max: 2 }),
      needsFirst: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  deadline: fc.constantFrom(12, 60, 5000),
  shedOptional: fc.boolean(),
  leavesAfter: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 4 }),
})

/** An upstream whose attempts end as their call says. Its policies wait, retry and hedge. */
function plannedUpstream() {
  const attemptsOf = new Map<string, number>()
  return defineUpstream(
    'up',
    {
      origin: 'http://up.invalid',
      concurrency: 2,
      maxQueue: 4,
      attemptTimeout: 20,
      retry: { maxAttempts: 3, initialDelay: 2, maxDelay: 4 },
      retryBudget: { ratio: 1, minPerSecond: 1000 },
      hedge: { delay: 5, maxRatio: 1 },
      breaker: { minimumCalls: 15, openDuration: 10 },
      layers: {
        attempt: [
          () => async call => {
            const plan = decodeURIComponent(call.path).split('/').at(-1)?.split(',') ?? []
            const number = attemptsOf.get(call.path) ?? 0
            attemptsOf.set(call.path, number + 1)
            const outcome = plan[Math.min(number, plan.length - 1)]
            if (outcome === 'busy') throw new UpstreamError('UPSTREAM_BUSY', 'up', { upstreamStatus: 503 })
            if (outcome === 'reset') throw new UpstreamError('UPSTREAM_RESET', 'up')
            if (outcome === 'bad') throw new UpstreamError('UPSTREAM_SCHEMA', 'up', { upstreamStatus: 200 })
            if (outcome === 'slow') await elapsed(8)
            return outcome === 'hang' ? new Promise(() => {}) : { value: 1 as never, status: 200 }
          },
        ],
      },
    },
    {
      one: operation({
        path: '/{id}/{plan}',
        params: z.object({ id: z.string(), plan: z.string() }),
        output: z.unknown(),
      }),
    },
  )
}

/** Any builder, to which steps of any name are added. */
interface Loose {
  required(name: string, fn: () => unknown, options: object): Loose
  optional(name: string, fn: () => unknown, options: object): Loose
  each(name: string, fn: () => unknown, options: object): Loose
  firstOf(name: string, fn: () => unknown, options: object): Loose
  pages(name: string, fn: () => unknown, options: object): Loose
  reply(schema: z.ZodType, merge: () => unknown): AnyAggregate
}

let ids = 0

function aggregateOf({ steps, deadline }: RunPlan, one: (plan: CallPlan) => Call<unknown>): AnyAggregate {
  let builder = aggregate('random', { url: '/random', deadline }) as unknown as Loose
  for (const [index, { kind, calls, minSuccess, needsFirst }] of steps.entries()) {
    const name = `s${index}`
    const options = needsFirst && index > 0 ? { needs: ['s0'] } : {}
    const first = () => one(calls[0] as CallPlan)
    if (kind === 'optional') builder = builder.optional(name, first, { fallback: 0, ...options })
    else if (kind === 'skipped') builder = builder.optional(name, () => skip, { fallback: 0, ...options })
    else if (kind === 'each')
      builder = builder.each(name, () => calls.map(one), { minSuccess, fallback: 0, ...options })
    else if (kind === 'firstOf') builder = builder.firstOf(name, () => calls.map(one), options)
    else if (kind === 'pages') {
      const next = (_: unknown, at: number) => calls.slice(at + 1, at + 2).map(one)
      builder = builder.pages(name, first, { next, onLoss: minSuccess === 0 ? 'keep' : 'fail', ...options })
    } else if (kind === 'required') builder = builder.required(name, first, options)
    else
      builder = builder.required(
        name,
        () => {
          throw new Error('a bug')
        },
        options,
      )
  }
  return builder.reply(z.unknown(), () => 1)
}

/** Adds one to the count of a key. */
function count(counts: Record<string, number>, ...labels: readonly (string | number | undefined)[]): void {
  const key = labels.map(label => label ?? '-').join(' ')
  counts[key] = (counts[key] ?? 0) + 1
}

/** What the events of one run have told so far. */
interface Seen {
  isOver: boolean
  /** The calls that have ended, as `step.index`. */
  readonly calls: Set<string>
}

/**
 * A runtime that also counts the calls that pass through it by their results, and those that ended without an event
 * because their run was over.
 */
function observed(runtime: Runtime, seen: WeakMap<object, Seen>) {
  const send = sendOf(runtime.send)
  const calls: Record<string, number> = { 'up one OK': 0 }
  const late: Record<string, number> = {}
  let inFlight = 0
  const end = ({ scope, step, index }: LiveCall<unknown>, code: string) => {
    inFlight--
    count(calls, 'up', 'one', code)
    const run = seen.get(scope)
    if (run?.isOver === true && !run.calls.has(`${step}.${index}`)) count(late, 'up', 'one', code)
  }
  const wrapped: Runtime = {
    ...runtime,
    send: serviceOf((call, completion) => {
      inFlight++
      send(call, {
        resolve(answer) {
          end(call, 'OK')
          completion.resolve(answer)
        },
        reject(error) {
          end(call, error instanceof UpstreamError ? error.code : 'CANCELLED')
          completion.reject(error)
        },
      })
    }),
  }
  return { wrapped, calls, late, isIdle: () => inFlight === 0 }
}

test('over random runs, the metrics equal the sums over the events', { timeout: 90_000 }, async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(runPlan, { minLength: 1, maxLength: 4 }), async plans => {
      const up = plannedUpstream()
      const runtime = createRuntime()
      const seen = new WeakMap<object, Seen>()
      const { wrapped, calls, late, isIdle } = observed(runtime, seen)
      const events: RunEvent[] = []
      await Promise.all(
        plans.map(async plan => {
          const random = aggregateOf(plan, list => up.one({ id: String(ids++), plan: list.join(',') }))
          const told: Seen = { isOver: false, calls: new Set() }
          let left = plan.leavesAfter ?? Infinity
          const run = startRun(
            random,
            {},
            {
              runtime: wrapped,
              shedOptional: plan.shedOptional,
              onEvent: event => {
                events.push(event)
                if (event.type === 'run ended') told.isOver = true
                if (event.type === 'call ended') told.calls.add(`${event.step}.${event.call}`)
                if (--left === 0) run.cancel(new Error('gone'))
              },
            },
          )
          seen.set(run, told)
          await run.start().catch(() => {})
        }),
      )
      await until(() => isIdle() && valuesOf(runtime, families.permitsInUse)['up'] !== 1)

      const steps: Record<string, number> = {}
      const runs: Record<string, number> = {}
      const attempts: Record<string, number> = {}
      const waits: Record<string, number> = {}
      const seconds: Record<string, number> = {}
      const ended: Record<string, number> = {}
      for (const event of events) {
        if (event.type === 'step ended') count(steps, 'random', `s${event.step}`, event.state, event.code)
        if (event.type === 'run ended') count(runs, event.code ?? 'answered')
        if (event.type === 'attempt started') count(attempts, 'up', 'one', event.attempt - 1)
        if (event.type === 'call waited') {
          count(waits, 'up', event.reason)
          seconds[`up ${event.reason}`] = (seconds[`up ${event.reason}`] ?? 0) + event.ms / 1000
        }
        if (event.type === 'call ended') count(ended, 'up', 'one', event.code ?? 'OK')
      }
      const isCalled = total(calls) > 0
      t.same(valuesOf(runtime, families.steps), steps, 'steps by state and code')
      t.same(valuesOf(runtime, families.attempts), attempts, 'attempts by their number')
      t.equal(total(countsOf(runtime, families.clientDuration)), total(attempts), 'one observation per attempt')
      t.same(countsOf(runtime, families.waits), waits, 'waits by reason')
      for (const [reason, sum] of Object.entries(seconds))
        t.ok(Math.abs((sumsOf(runtime, families.waits)[reason] as number) - sum) < 1e-9, `seconds of ${reason}`)
      t.same(valuesOf(runtime, families.calls), isCalled ? calls : {}, 'calls by code')
      // A call that ends after its run has no event.
      for (const [key, number] of Object.entries(calls)) t.equal((ended[key] ?? 0) + (late[key] ?? 0), number, key)
      t.equal(total(valuesOf(runtime, families.runs)), plans.length, 'each run once')
      t.equal(total(runs), plans.length)
      t.equal(total(countsOf(runtime, families.runDuration)), plans.length)
      await runtime.close()
      return t.passing()
    }),
    { numRuns: 40 },
  )
})
