import fc from 'fast-check'
import { test } from 'tap'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import type { KeptCall, KeptRun, KeptWait } from '../../src/waterfall/kept-run.ts'
import { keptRuns } from '../helpers/ended-run.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import {
  answerer,
  unrulyAggregate,
  unrulyOperations,
  unrulyPlan,
  type UnrulyPlan,
} from '../helpers/unruly-aggregate.ts'

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

const rounded = (ms: number) => Math.round(ms * 10) / 10

/** Returns the part of a kept call that its events decide, from the events. */
function expectedCall(events: readonly RunEvent[], endOfRun: number): Omit<KeptCall, 'path' | 'method' | 'start'> {
  const ofType = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Of<Type> => event.type === type)
  const [first] = events as readonly [Of<'call ended'>]
  const [end] = ofType('call ended')
  const refusal = { BREAKER_OPEN: 'breaker', BULKHEAD_FULL: 'permit' } as const
  const refused = end?.attempts === 0 ? refusal[end.code as keyof typeof refusal] : undefined
  const ends = ofType('attempt ended')
  return {
    call: first.call,
    operation: first.operation,
    end: end === undefined ? null : rounded(end.at),
    status: end?.status ?? null,
    code: end?.code ?? null,
    cache: end?.cached?.cache ?? null,
    waits: events.flatMap((event): KeptWait[] => {
      if (event.type === 'call waited')
        return [{ reason: event.reason, start: rounded(event.at - event.ms), end: rounded(event.at) }]
      return event.type === 'call joined'
        ? [{ reason: event.reason, start: rounded(event.at), end: rounded(end?.at ?? endOfRun) }]
        : []
    }),
    attempts: ofType('attempt started').map(({ attempt, kind, at }) => {
      const ended = ends.find(each => each.attempt === attempt)
      const { status = null, code = null } = ended ?? {}
      return {
        number: attempt,
        kind,
        start: rounded(at),
        end: ended === undefined ? null : rounded(ended.at),
        status,
        code,
      }
    }),
    marks: [
      ...ofType('resend refused').map(
        ({ at, kind, reason }) => ({ at: rounded(at), what: `${kind} not sent`, reason }) as const,
      ),
      ...(refused === undefined ? [] : [{ at: rounded(end?.at ?? 0), what: 'call refused' as const, reason: refused }]),
    ],
  }
}

/** Returns the kept calls with events, and what the events say of them, in the same order. */
function comparedCalls({ steps }: KeptRun, events: readonly RunEvent[], { steps: declared }: AnyAggregate) {
  const byCall = Map.groupBy(
    events.filter(event => 'call' in event),
    ({ step, call }) => `${step}.${call}`,
  )
  const at = events.at(-1)?.at ?? 0
  const kept = steps.flatMap(({ name, calls }) =>
    calls.map(({ path: _path, method: _method, start: _start, ...call }) => {
      const step = declared.findIndex(each => each.name === name)
      return { key: `${step}.${call.call}`, call }
    }),
  )
  const shown = new Set(kept.map(({ key }) => key))
  return {
    kept: kept.filter(({ key }) => byCall.has(key)).map(({ call }) => call),
    expected: kept.flatMap(({ key }) => {
      const own = byCall.get(key)
      return own === undefined ? [] : [expectedCall(own, at)]
    }),
    unknown: [...byCall.keys()].filter(key => !shown.has(key)),
  }
}

test('a kept run has the calls, the waits, the attempts and the outcomes of its events, whatever its upstreams do', async t => {
  const { origin } = await httpUpstream(t, answerer())
  const operations = unrulyOperations(origin)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const store = keptRuns()
  const seen = new Map<string, number>()

  async function run(plan: UnrulyPlan): Promise<void> {
    const described = unrulyAggregate(plan, operations)
    const events: RunEvent[] = []
    const timeline = store.start(described, { requestId: 'r', traceId: 't', method: 'GET', target: '/random' })
    const run = startRun(
      described,
      {},
      {
        runtime,
        timeline,
        onEvent(event) {
          if (events.push(event) === plan.cancelAfter) run.cancel(new Error('gone'))
        },
      },
    )
    await run.start().catch(() => {})
    const kept = store.find(timeline.id) as KeptRun
    const { kept: calls, expected, unknown } = comparedCalls(kept, events, described)
    if (JSON.stringify(calls) !== JSON.stringify(expected) || unknown.length > 0)
      throw new Error(`${JSON.stringify(calls)}\n${JSON.stringify(expected)}\nwithout a call: ${unknown.join(' ')}`)
    const outcomes = Object.fromEntries(kept.steps.map(({ name, outcome }) => [name, outcome]))
    for (const [name, { state, start, ms, attempts, code }] of Object.entries(run.outcomes)) {
      const known = { state, start: start ?? null, ms, attempts, code: code ?? null, fault: null }
      if (JSON.stringify(outcomes[name]) !== JSON.stringify(known))
        throw new Error(`${name}: ${JSON.stringify(outcomes[name])} is not ${JSON.stringify(known)}`)
    }
    t.ok(kept.why.length <= 3)
    for (const { waits, attempts } of calls)
      for (const kind of [...waits.map(({ reason }) => reason), ...attempts.map(each => each.kind)])
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
  }

  await fc.assert(
    fc.asyncProperty(fc.array(unrulyPlan, { minLength: 1, maxLength: 3 }), async plans => {
      await Promise.all(plans.map(run))
    }),
    { numRuns: 150 },
  )
  for (const kind of ['permit', 'retry', 'shared', 'first', 'hedge'])
    t.ok((seen.get(kind) ?? 0) > 5, `${kind}: ${seen.get(kind)}`)
})
