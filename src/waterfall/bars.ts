import type { KeptAttempt, KeptCall, WaitReason } from './kept-run.ts'
import type { TimedStep } from './timeline.ts'

/**
 * A part of a row, from one time to another. The bars of a row are in the order in which they are painted: a later bar
 * covers an earlier one.
 */
export type Bar = OwnBar | WaitBar | AttemptBar | FaultBar

interface Span {
  /** In ms from the start of the run. */
  readonly from: number
  readonly to: number
  /** The bars of a lane do not overlap, except with the `own` bar below them. A hedge has a lane of its own. */
  readonly lane: number
}

/** The whole time of a step or of a call. Where no other bar covers it, nothing waits and no request is in flight. */
export interface OwnBar extends Span {
  readonly kind: 'own'
}

export interface WaitBar extends Span {
  readonly kind: 'wait'
  readonly reason: WaitReason
}

/** One request to an upstream, or several requests of one row that overlap. */
export interface AttemptBar extends Span {
  readonly kind: 'attempt' | 'hedge'
  readonly end: AttemptEnd
}

/** The time for which a rehearsed fault holds back an answer. */
export interface FaultBar extends Span {
  readonly kind: 'fault'
}

/**
 * The end of an attempt: an answer; a failure; a cancel because the call was not needed any more; `outrun` if another
 * attempt of the call answered first; `open` if the run ended first.
 */
export type AttemptEnd = 'answered' | 'failed' | 'cancelled' | 'outrun' | 'open'

/** Returns how an attempt of a call ended. */
export function endOf({ end, code }: KeptAttempt, { attempts }: Pick<KeptCall, 'attempts'>): AttemptEnd {
  if (end === null) return 'open'
  if (code === null) return 'answered'
  if (code !== 'CANCELLED') return 'failed'
  return attempts.some(other => other.end !== null && other.code === null) ? 'outrun' : 'cancelled'
}

/**
 * Returns the bars of a call.
 *
 * @param until - The end of what has no end, in ms from the start of the run.
 * @param isHeld - True if a rehearsed fault holds back the answer.
 */
export function barsOfCall(call: KeptCall, until: number, isHeld = false): Bar[] {
  const { start, waits, attempts } = call
  const end = call.end ?? until
  const lanes = lanesOf(attempts, until)
  const answeredAt = attempts.at(-1)?.end ?? undefined
  return [
    { kind: 'own', from: start, to: end, lane: 0 },
    ...waits.map((wait): Bar => {
      const { reason, start: from } = wait
      return { kind: 'wait', reason, from, to: Math.min(wait.end, end), lane: 0 }
    }),
    ...attempts.map((attempt, index): Bar => {
      const to = attempt.end ?? until
      const kind = attempt.kind === 'hedge' ? 'hedge' : 'attempt'
      return { kind, from: attempt.start, to, end: endOf(attempt, call), lane: lanes[index] ?? 0 }
    }),
    ...(isHeld && answeredAt !== undefined && answeredAt < end
      ? [{ kind: 'fault', from: answeredAt, to: end, lane: 0 } as const]
      : []),
  ]
}

/** Returns the lane of each attempt: the first one that is free at its start. */
function lanesOf(attempts: readonly KeptAttempt[], until: number): number[] {
  const free: number[] = []
  return attempts.map(({ start, end }) => {
    const found = free.findIndex(at => at <= start)
    const lane = found === -1 ? free.length : found
    free[lane] = end ?? until
    return lane
  })
}

/**
 * Returns the bars of a step. The bars of its calls are joined where they overlap, and end with the step. They have the
 * lanes of the call if the step has one call; otherwise they have the lane 0.
 *
 * @param until - The end of what has no end, in ms from the start of the run.
 */
export function barsOfStep({ start, end, fault, calls }: TimedStep, until: number): Bar[] {
  if (start === null) return []
  const last = end ?? until
  const isHeld = fault?.startsWith('delay') === true
  const inside = calls
    .flatMap(call => barsOfCall(call, last, isHeld))
    .filter(({ kind, from }) => kind !== 'own' && from <= last)
    .map(bar => (bar.to > last ? { ...bar, to: last } : bar))
  const own: Bar = { kind: 'own', from: start, to: last, lane: 0 }
  if (calls.length === 1) return [own, ...inside]
  return [own, ...joined(inside)]
}

/** The looks of bars, in the order in which they are painted: answers cover cancels, and failures are on top. */
const looks = ['own', 'wait', 'outrun', 'cancelled', 'answered', 'open', 'fault', 'hedge', 'failed'] as const

/** Returns the look of a bar. A hedge that failed looks like every attempt that failed. */
export function lookOf(bar: Bar): (typeof looks)[number] {
  if (bar.kind === 'attempt') return bar.end
  return bar.kind === 'hedge' && bar.end === 'failed' ? 'failed' : bar.kind
}

/** Joins the bars that have the same look and overlap. */
function joined(bars: readonly Bar[]): Bar[] {
  const byLook = Map.groupBy(bars, lookOf)
  return looks.flatMap(look => {
    const alike = (byLook.get(look) ?? []).map(bar => ({ ...bar, lane: 0 })).toSorted((a, b) => a.from - b.from)
    const union: Bar[] = []
    for (const bar of alike) {
      const last = union.at(-1)
      if (last === undefined || bar.from > last.to) union.push(bar)
      else union[union.length - 1] = { ...last, to: Math.max(last.to, bar.to) }
    }
    return union
  })
}
