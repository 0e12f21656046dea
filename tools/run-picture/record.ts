import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { State } from '../../src/fanout/outcome.ts'
import { catFacts } from '../../src/routes/cat-facts.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'

/** One attempt of a call, in ms from the start of the run. */
export interface Attempt {
  readonly start: number
  readonly end: number
  /** The code of its failure, or `undefined` if the attempt succeeded. */
  readonly code: string | undefined
}

/** One call of a step. */
export interface CallRecord {
  readonly attempts: readonly Attempt[]
}

/** One source of a reply, in ms from the start of the run. */
export interface StepRecord {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly state: State
  readonly code: string | undefined
  readonly calls: readonly CallRecord[]
}

/** One run, in ms from its start. */
export interface RunRecord {
  readonly name: string
  readonly deadline: number
  readonly end: number
  readonly isComplete: boolean
  readonly steps: readonly StepRecord[]
}

/**
 * Runs the aggregate of the README against its demo upstreams. Some of their answers are slow, and some fail. With this
 * seed, one call is retried and one source gets its fallback.
 */
export async function recordRun(): Promise<RunRecord> {
  // Run once without recording: the first run is slower because Node.js loads and compiles the modules.
  await runOnce()
  return runOnce()
}

async function runOnce(): Promise<RunRecord> {
  const demo = await startDemoUpstreams({ medianMs: 140, maxMs: 500, seed: 93, faultRate: 0.4, faultKinds: ['error'] })
  // There are fewer permits than calls, so that the picture shows waiting calls.
  const concurrency = { 'catfact-ninja': { concurrency: 2 } } as const
  const runtime = createRuntime({
    overrides: Object.fromEntries(
      Object.entries(demo.origins).map(([name, origin]) => [
        name,
        { origin, ...concurrency[name as keyof typeof concurrency] },
      ]),
    ),
  })
  try {
    const events: RunEvent[] = []
    const onEvent = (event: RunEvent) => {
      events.push(event)
    }
    const { complete } = await fanOut(catFacts, { query: { count: '4' } }, { runtime, onEvent })
    return readRecord(events, complete)
  } finally {
    await runtime.close()
    await demo.close()
  }
}

function readRecord(events: readonly RunEvent[], isComplete: boolean): RunRecord {
  const steps = catFacts.steps.map(({ name }, step): StepRecord => {
    const own = events.filter(
      (event): event is Exclude<RunEvent, { type: 'run ended' }> => 'step' in event && event.step === step,
    )
    const end = own.find(event => event.type === 'step ended')
    const start = own.find(event => event.type === 'step started')
    const calls = Map.groupBy(
      own.filter(event => 'call' in event),
      ({ call }) => call,
    )
    return {
      name,
      start: start?.at ?? NaN,
      end: end?.at ?? NaN,
      state: end?.state ?? 'cancelled',
      code: end?.code,
      calls: [...calls.keys()].sort((a, b) => a - b).map(call => readCall(calls.get(call) ?? [])),
    }
  })
  return { name: catFacts.name, deadline: catFacts.route.deadline, end: events.at(-1)?.at ?? NaN, isComplete, steps }
}

function readCall(events: readonly RunEvent[]): CallRecord {
  const ended = events.filter(event => event.type === 'attempt ended')
  const attempts = events
    .filter(event => event.type === 'attempt started')
    .map(({ at, attempt }): Attempt => {
      const end = ended.find(event => event.attempt === attempt)
      return { start: at, end: end?.at ?? at, code: end?.code }
    })
  return { attempts }
}
