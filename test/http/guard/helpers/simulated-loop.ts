import type { Criticality } from '../../../../src/fanout/route.ts'
import { LoopAdmission } from '../../../../src/http/guard/loop-admission.ts'

/** The CPU time of a refusal. */
const refusalMs = 0.03
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
  readonly arrivedAt: number
  readonly criticality: Criticality
  readonly isAnswer: boolean
}

/**
 * Simulates an event loop in virtual time. In each turn it handles the events that were there when the turn began, the
 * oldest first.
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
}: Load): { readonly requests: readonly SimulatedRequest[]; readonly admission: LoopAdmission } {
  let now = 0
  let atTurnEnd: (() => void) | undefined
  let [pauseAt] = pause
  const admission = new LoopAdmission(limit, {
    now: () => now,
    atTurnEnd: callback => {
      atTurnEnd = callback
    },
  })
  const arrivals = arrivalsOf(phases, endMs, classes, stepMs, runMs)
  let next = 0
  let answers: Event[] = []
  const requests: SimulatedRequest[] = []

  function handle({ arrivedAt, criticality, isAnswer }: Event): void {
    const isAdmitted = isAnswer || admission.admits(criticality)
    now += isAdmitted ? runMs / 2 : refusalMs
    if (isAdmitted && !isAnswer) answers.push({ at: now + upstreamMs, arrivedAt, criticality, isAnswer: true })
    else requests.push({ criticality, arrivedAt, endedAt: now, isAdmitted })
  }

  for (;;) {
    const ready = answers.filter(({ at }) => at <= now)
    answers = answers.filter(({ at }) => at > now)
    while (next < arrivals.length && (arrivals[next] as Event).at <= now) ready.push(arrivals[next++] as Event)
    ready.sort((one, other) => one.at - other.at)
    if (ready.length === 0 && atTurnEnd === undefined) {
      const at = Math.min(arrivals[next]?.at ?? Infinity, ...answers.map(answer => answer.at))
      if (at === Infinity) return { requests, admission }
      now = at
      continue
    }
    now += turnMs
    if (now >= pauseAt) {
      now += pause[1]
      pauseAt = Infinity
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
      arrivals.push({ at, arrivedAt: at, criticality: (entries[most] as [Criticality, number])[0], isAnswer: false })
    }
  }
  return arrivals
}
