/** The phases of a batch. From `aborting` on, the batch accepts no further results. */
export const BatchPhase = {
  /** Not started. */
  created: 0,
  /** Calls wait, or are in flight. */
  running: 1,
  /** The deadline has passed before all calls ended: the calls in flight are aborted, and no other call is sent. */
  expired: 2,
  /** Cancelled, or failed by a bug; the calls in flight are being aborted. */
  aborting: 3,
  /** Cancelled, or failed by a bug: the batch waits for its unsafe calls and its aggregates, then rejects. */
  stopping: 4,
  /** Settled. */
  done: 5,
} as const

export type BatchPhase = (typeof BatchPhase)[keyof typeof BatchPhase]

/** The phases of one call of a batch. */
export const CallPhase = {
  /** Calls that it needs have not ended. */
  waiting: 0,
  /** All its needs have ended; its input is being filled. */
  ready: 1,
  /** It was sent, or its aggregate runs. */
  inFlight: 2,
  /** It has a result. */
  ended: 3,
} as const

export type CallPhase = (typeof CallPhase)[keyof typeof CallPhase]

type Table<Phases> = Readonly<Record<keyof Phases, readonly (keyof Phases)[]>>

/** Every transition of a batch. docs/design.md has the same table. */
export const batchTransitions: Table<typeof BatchPhase> = {
  created: ['running', 'aborting'],
  running: ['expired', 'aborting', 'done'],
  expired: ['aborting', 'done'],
  aborting: ['stopping'],
  stopping: ['done'],
  done: [],
}

/** Every transition of a call. docs/design.md has the same table. */
export const callTransitions: Table<typeof CallPhase> = {
  waiting: ['ready'],
  ready: ['inFlight', 'ended'],
  inFlight: ['ended'],
  ended: [],
}

/**
 * Returns the function that returns the phase which is entered.
 *
 * @returns It throws an error if the table does not have the transition, which is a bug in its callers.
 */
function entering<P extends Readonly<Record<string, number>>>(owner: string, phases: P, transitions: Table<P>) {
  const names = Object.keys(phases) as (keyof P & string)[]
  return (from: P[keyof P], to: P[keyof P]): P[keyof P] => {
    const [before, after] = [names[from], names[to]] as [keyof P & string, keyof P & string]
    if (!transitions[before].includes(after))
      throw new Error(`${owner}: there is no transition from ${before} to ${after}`)
    return to
  }
}

export const enterBatch = entering('batch', BatchPhase, batchTransitions)
export const enterCall = entering('call of a batch', CallPhase, callTransitions)
