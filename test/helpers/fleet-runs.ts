import type { KeptAttempt, KeptCall, KeptRun, KeptStep, RunRow } from '../../src/waterfall/kept-run.ts'
import { fraction, hash } from '../../src/demo-upstreams/random.ts'
import type { FleetAggregate, FleetShape, FleetStep, FleetUpstream } from './fleet-shapes.ts'

/** The status that a problem with this code has. */
export const statusOf: Readonly<Record<string, number>> = {
  UPSTREAM_BUSY: 503,
  BREAKER_OPEN: 503,
  UPSTREAM_OFF: 503,
  UPSTREAM_RESET: 502,
  DEADLINE_EXCEEDED: 504,
}

/** What distinguishes one invented run from the others. */
export interface RunSeed {
  readonly aggregate: FleetAggregate
  /** The number of the run since the start of the fleet. */
  readonly number: number
  /** The moment of its end. */
  readonly at: number
  /** The codes of the steps that are lost, by the name of the step. */
  readonly lost: Readonly<Record<string, string>>
  readonly isCancelled: boolean
}

/** Invents a run: its steps, calls, waits and attempts, which depend on the seed only. */
export function inventRun(shape: FleetShape, seed: number, run: RunSeed): KeptRun {
  const { aggregate, number, lost } = run
  const random = (salt: number) => fraction(seed + number * 131, salt)
  const ends = new Map<string, number>()
  const steps: KeptStep[] = []
  let failure: string | null = null
  for (const [index, step] of aggregate.steps.entries()) {
    if (failure !== null) {
      steps.push(notStarted(step))
      continue
    }
    const start = 0.2 + 0.1 * index + Math.max(0, ...step.needs.map(name => ends.get(name) ?? 0))
    const upstream = shape.upstreams[step.upstream] as FleetUpstream
    const calls = Array.from({ length: step.calls }, (_, call) =>
      inventCall(step, upstream, call, start + 0.2, aggregate.deadline, lost[step.name], salt =>
        random(100 * index + 10 * call + salt),
      ),
    )
    const end = Math.max(...calls.map(call => call.end ?? aggregate.deadline)) + 0.1
    ends.set(step.name, end)
    const code = lost[step.name] ?? null
    const attempts = calls.reduce((sum, call) => sum + call.attempts.length, 0)
    const state = code === null ? 'ok' : step.kind === 'required' ? 'failed' : 'fallback'
    steps.push({
      name: step.name,
      kind: step.kind,
      needs: step.needs,
      outcome: { state, start: tenth(start), ms: tenth(end - start), attempts, code, fault: null },
      calls,
    })
    if (state === 'failed') failure = code
  }
  const ms = tenth(Math.max(...ends.values()) + 0.4)
  const lostSteps = Object.entries(lost).map(([step, code]) => ({ step, code }))
  const state = run.isCancelled
    ? 'cancelled'
    : failure !== null
      ? 'failed'
      : lostSteps.length > 0
        ? 'partial'
        : 'complete'
  const digits = [0, 1, 2, 3]
    .map(part =>
      hash(seed + part, number)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('')
  return {
    id: `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`,
    requestId: `req-${number.toString(36)}`,
    traceId: `${digits.slice(16)}${digits.slice(0, 16)}`,
    worker: null,
    aggregate: aggregate.name,
    at: new Date(run.at - ms).toISOString(),
    ms,
    state,
    status: state === 'cancelled' ? null : failure === null ? 200 : (statusOf[failure] ?? 502),
    code: failure,
    isSlow: ms > 0.5 * aggregate.deadline,
    caller: run.isCancelled ? 'left' : 'waited',
    upstreams: [...new Set(aggregate.steps.map(({ upstream }) => shape.upstreams[upstream]?.name ?? ''))],
    lost: lostSteps,
    method: 'GET',
    target: `${aggregate.url.replace('{id}', String(1000 + (number % 9000)))}?session=REDACTED`,
    deadline: aggregate.deadline,
    stream: null,
    parent: null,
    why: steps.flatMap(step => (step.outcome.code === null ? [] : [whyLost(step, aggregate)])).slice(0, 3),
    steps,
    omitted: { calls: 0, entries: 0 },
  }
}

/** Returns the row of a run in the list. */
export function rowOf(run: KeptRun): RunRow {
  const { id, requestId, traceId, worker, aggregate, at, ms, state, status, code, isSlow, caller, upstreams, lost } =
    run
  return { id, requestId, traceId, worker, aggregate, at, ms, state, status, code, isSlow, caller, upstreams, lost }
}

function notStarted({ name, kind, needs }: FleetStep): KeptStep {
  return {
    name,
    kind,
    needs,
    outcome: { state: 'cancelled', start: null, ms: 0, attempts: 0, code: null, fault: null },
    calls: [],
  }
}

function whyLost({ name, outcome }: KeptStep, { deadline }: FleetAggregate): string {
  if (outcome.code === 'BREAKER_OPEN') return `${name}: BREAKER_OPEN: the circuit breaker refused the call`
  if (outcome.code === 'DEADLINE_EXCEEDED')
    return `${name}: DEADLINE_EXCEEDED: ${Math.round(outcome.ms / 2)} ms of ${deadline} ms waited for a permit`
  const attempts = outcome.attempts === 1 ? '1 attempt' : `${outcome.attempts} attempts`
  return `${name}: ${outcome.code}: ${attempts} failed in ${Math.round(outcome.ms)} ms`
}

function inventCall(
  step: FleetStep,
  upstream: FleetUpstream,
  call: number,
  start: number,
  deadline: number,
  lost: string | undefined,
  random: (salt: number) => number,
): KeptCall {
  const base = {
    call,
    operation: step.operation,
    method: 'GET',
    path: `/${step.operation.split('.')[1]}/${1000 + Math.floor(random(1) * 9000)}`,
    start: tenth(start),
    marks: [],
    waits: [],
  }
  const cache = upstream.cached === null ? null : 'miss'
  const took = upstream.medianMs * (0.6 + 2.4 * random(2) ** 3)
  const attempt = (
    number: number,
    kind: KeptAttempt['kind'],
    from: number,
    to: number,
    status: number | null,
    code: string | null,
  ) => ({
    number,
    kind,
    start: tenth(from),
    end: tenth(to),
    status,
    code,
  })
  if (lost === 'BREAKER_OPEN' || lost === 'UPSTREAM_OFF') {
    const marks = [{ at: tenth(start), what: 'call refused', reason: 'breaker' }] as const
    return { ...base, end: tenth(start + 0.1), status: null, code: lost, cache, attempts: [], marks }
  }
  if (lost === 'DEADLINE_EXCEEDED') {
    const sent = start + (deadline - start) * 0.55
    const waits = [{ reason: 'permit', start: tenth(start), end: tenth(sent) }] as const
    const attempts = [attempt(1, 'first', sent, deadline, null, 'DEADLINE_EXCEEDED')]
    return { ...base, end: tenth(deadline), status: null, code: lost, cache, waits, attempts }
  }
  if (lost !== undefined) {
    const first = start + took * 4
    const pause = first + 20 + 60 * random(3)
    const second = Math.min(deadline - 5, pause + took * 5)
    const status = statusOf[lost] === 503 ? 503 : null
    const waits = [{ reason: 'retry', start: tenth(first), end: tenth(pause) }] as const
    const attempts = [attempt(1, 'first', start, first, status, lost), attempt(2, 'retry', pause, second, status, lost)]
    const marks = [{ at: tenth(second), what: 'retry not sent', reason: 'budget' }] as const
    return { ...base, end: tenth(second), status, code: lost, cache, waits, attempts, marks }
  }
  if (upstream.cached !== null && random(4) < upstream.cached)
    return { ...base, end: tenth(start + 0.2), status: 200, code: null, cache: 'hit', attempts: [] }
  if (upstream.isHedged && random(5) < 0.3) {
    const second = start + upstream.medianMs * 2.6
    const end = second + took
    const attempts = [attempt(1, 'first', start, end, null, 'CANCELLED'), attempt(2, 'hedge', second, end, 200, null)]
    return { ...base, end: tenth(end), status: 200, code: null, cache, attempts }
  }
  const wait = random(6) < 0.25 ? 4 + 40 * random(7) : 0
  const waits = wait === 0 ? [] : ([{ reason: 'permit', start: tenth(start), end: tenth(start + wait) }] as const)
  const end = start + wait + took
  return {
    ...base,
    end: tenth(end),
    status: 200,
    code: null,
    cache,
    waits,
    attempts: [attempt(1, 'first', start + wait, end, 200, null)],
  }
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10
}
