import type { Criticality } from '../../../../src/fanout/route.ts'
import { LoopAdmission } from '../../../../src/http/guard/loop-admission.ts'

/** The CPU time of a refusal, and its largest share of that of a run. */
const maxRefusalMs = 0.03
const refusalShare = 0.06
/** The CPU time of a turn without events. */
const turnMs = 0.005

export interface Load {
  /** Time of the start, and the requests that arrive, as a multiple of what the CPU allows. */
  readonly phases: readonly (readonly [fromMs: number, times: number])[]
  readonly endMs: number
  /** The time that an upstream takes. @default 0.3 */
  readonly upstreamMs?: number
  /** The share of each class. @default only normal requests */
  readonly classes?: Partial<Readonly<Record<Criticality, number>>>
  /** Blocks the loop once: time and duration. */
  readonly pause?: readonly [atMs: number, ms: number]
  /** Time between two moments at which the callers send. @default 1 */
  readonly stepMs?: number
  /** @default 100 */
  readonly limit?: number
  /** The CPU time of a run: half of it when it starts, half of it when its answers arrive. @default 0.5 */
  readonly runMs?: number
  /** The calls of a run. @default 1 */
  readonly calls?: number
  /** The permits of the upstream. @default Infinity */
  readonly permits?: number
  /** The callers of a closed loop, in place of `phases`: each one sends a request when it has its reply. @default 0 */
  readonly callers?: number
  /** The callers send for this time, and then rest for as long. @default Infinity */
  readonly windowMs?: number
  /** The factor of the CPU time of runs at a time, for code that is not compiled yet. @default 1 */
  readonly slowness?: (at: number) => number
}

/** A request that has ended. */
export interface SimulatedRequest {
  readonly criticality: Criticality
  readonly arrivedAt: number
  readonly endedAt: number
  readonly isAdmitted: boolean
}

interface Event {
  readonly at: number
  readonly run: LiveRun
  readonly isAnswer: boolean
}

interface LiveRun {
  readonly arrivedAt: number
  readonly criticality: Criticality
  /** Calls without an answer. */
  open: number
}

/** Time between two samples of the CPU time of a run. */
const sampleEvery = 250

/**
 * Simulates an event loop in virtual time. In each turn it handles the events that were there when the turn began, the
 * oldest first. Calls wait for their permits in the order of their runs.
 */
export function simulateLoop({
  phases,
  endMs,
  upstreamMs = 0.3,
  classes = { normal: 1 },
  pause = [Infinity, 0],
  stepMs = 1,
  limit = 100,
  runMs = 0.5,
  calls = 1,
  permits = Infinity,
  callers = 0,
  windowMs = Infinity,
  slowness = () => 1,
}: Load): { readonly requests: readonly SimulatedRequest[]; readonly admission: LoopAdmission } {
  let now = 0
  let idleMs = 0
  let atTurnEnd: (() => void) | undefined
  let [pauseAt] = pause
  let sampleAt = sampleEvery
  const counts = { runs: 0, served: 0, refused: 0 }
  const waiting: LiveRun[] = []
  let inUse = 0
  const admission = new LoopAdmission(limit, {
    now: () => now,
    atTurnEnd: callback => {
      atTurnEnd = callback
    },
    busyMs: () => now - idleMs,
    permitBacklog: () => waiting.length / permits,
    connections: () => (callers > 0 ? callers : Infinity),
  })
  const arrivals = arrivalsOf(phases, endMs, classes, stepMs, runMs, calls)
  for (let caller = 0; caller < callers; caller++) arrivals.push(arrivalAt(caller * 0.01, 'normal'))
  let next = 0
  let answers: Event[] = []
  const requests: SimulatedRequest[] = []

  function send(run: LiveRun): void {
    inUse++
    answers.push({ at: now + upstreamMs, run, isAnswer: true })
  }

  function end(run: LiveRun, isAdmitted: boolean): void {
    requests.push({ criticality: run.criticality, arrivedAt: run.arrivedAt, endedAt: now, isAdmitted })
    if (callers > 0 && now < endMs) arrivals.push(arrivalAt(sendsAt(now + 0.05), 'normal'))
  }

  function handle({ run, isAnswer }: Event): void {
    const workMs = (runMs / 2) * slowness(now)
    if (!isAnswer) {
      if (!admission.admits(run.criticality, counts)) {
        now += Math.min(maxRefusalMs, refusalShare * runMs)
        return end(run, false)
      }
      now += workMs
      counts.runs++
      for (let call = 0; call < calls; call++)
        if (inUse < permits) send(run)
        else waiting.push(run)
      return
    }
    now += workMs / calls
    inUse--
    const released = waiting.shift()
    if (released !== undefined) send(released)
    if (--run.open > 0) return
    counts.runs--
    counts.served++
    end(run, true)
  }

  /** Returns the time from `at` on at which a caller sends. */
  function sendsAt(at: number): number {
    const isResting = at % (2 * windowMs) >= windowMs
    return isResting ? at + 2 * windowMs - (at % (2 * windowMs)) : at
  }

  function arrivalAt(at: number, criticality: Criticality): Event {
    return { at, run: { arrivedAt: at, criticality, open: calls }, isAnswer: false }
  }

  for (;;) {
    const ready = answers.filter(({ at }) => at <= now)
    answers = answers.filter(({ at }) => at > now)
    while (next < arrivals.length && (arrivals[next] as Event).at <= now) ready.push(arrivals[next++] as Event)
    ready.sort((one, other) => one.at - other.at)
    if (ready.length === 0 && atTurnEnd === undefined) {
      const at = Math.min(arrivals[next]?.at ?? Infinity, ...answers.map(answer => answer.at))
      if (at === Infinity) return { requests, admission }
      idleMs += at - now
      now = at
      continue
    }
    now += turnMs
    if (now >= pauseAt) {
      now += pause[1]
      pauseAt = Infinity
    }
    if (now >= sampleAt) {
      admission.sample(counts)
      sampleAt = now + sampleEvery
    }
    for (const event of ready) handle(event)
    const callback = atTurnEnd
    atTurnEnd = undefined
    callback?.()
  }
}

/** Returns the requests in equal distances within each step. The classes take turns by their shares. */
function arrivalsOf(
  phases: Load['phases'],
  endMs: number,
  classes: NonNullable<Load['classes']>,
  stepMs: number,
  runMs: number,
  calls: number,
): Event[] {
  const entries = Object.entries(classes) as [Criticality, number][]
  const credits = entries.map(() => 0)
  const arrivals: Event[] = []
  let due = 0
  for (let at = 0; at < endMs; at += stepMs) {
    const [, times] = phases.findLast(([fromMs]) => fromMs <= at) as readonly [number, number]
    for (due += (times * stepMs) / runMs; due >= 1; due--) {
      for (const [index, [, share]] of entries.entries()) credits[index] = (credits[index] as number) + share
      const most = credits.indexOf(Math.max(...credits))
      credits[most] = (credits[most] as number) - 1
      arrivals.push({
        at,
        run: { arrivedAt: at, criticality: (entries[most] as [Criticality, number])[0], open: calls },
        isAnswer: false,
      })
    }
  }
  return arrivals
}
