/** The phases of a run. From `aborting` on, the run accepts no further values. */
export const Phase = {
  /** Not started. */
  created: 0,
  /** The function of context() runs; no step has started. */
  context: 1,
  /** Steps run. */
  steps: 2,
  /** The deadline has passed before all steps ended: calls are aborted, and optional steps use their fallback. */
  expired: 3,
  /** Every step has ended: the merge, the reply's schema and onReply(). */
  replying: 4,
  /** The same as `replying`, but after the deadline, within the grace period. */
  replyingLate: 5,
  /** Failed or cancelled; the calls in flight are being aborted. */
  aborting: 6,
  /** Failed or cancelled; the run waits for its unsafe calls, then rejects. */
  failed: 7,
  /** Settled. */
  done: 8,
} as const

export type Phase = (typeof Phase)[keyof typeof Phase]

export type PhaseName = keyof typeof Phase

/** Every transition. docs/design.md has the same table. */
export const transitions: Readonly<Record<PhaseName, readonly PhaseName[]>> = {
  created: ['context', 'steps', 'aborting'],
  context: ['steps', 'expired', 'aborting'],
  steps: ['expired', 'replying', 'aborting'],
  expired: ['replyingLate', 'aborting'],
  replying: ['aborting', 'done'],
  replyingLate: ['aborting', 'done'],
  aborting: ['failed'],
  failed: ['done'],
  done: [],
}

const names = Object.keys(Phase) as PhaseName[]
const masks = names.map(name => transitions[name].reduce((mask, to) => mask | (1 << Phase[to]), 0))

/**
 * Returns the phase that was entered.
 *
 * @throws Error if the table does not have the transition, which is a bug in the callers of this function.
 */
export function enter(from: Phase, to: Phase): Phase {
  if (((masks[from] as number) & (1 << to)) === 0)
    throw new Error(`run: there is no transition from ${names[from]} to ${names[to]}`)
  return to
}
