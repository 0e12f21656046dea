/** The phases of an exchange. In `abandoned` and all later phases the call is settled. */
export const Phase = {
  /** In the queue of the pool, or assigned to a connection; not written. */
  pending: 0,
  /** Refused by its connection before it was written; it returns to the pool. */
  moving: 1,
  /** Written; no final status yet. */
  sent: 2,
  /** The headers are accepted; the body is collected. */
  reading: 3,
  /** The headers decided the outcome; the body is read to keep the connection. */
  discarding: 4,
  /** The response has ended; its body is decoded and parsed. */
  decoding: 5,
  /** Settled before it was written; undici still holds it. */
  abandoned: 6,
  /** Settled; its response is awaited because other requests share the connection. */
  lingering: 7,
  /** Settled; its connection is being closed. */
  closing: 8,
  /** Settled, and off the connection. */
  done: 9,
} as const

export type Phase = (typeof Phase)[keyof typeof Phase]

export type PhaseName = keyof typeof Phase

/** All transitions. docs/design.md has the same table. */
export const transitions: Readonly<Record<PhaseName, readonly PhaseName[]>> = {
  pending: ['moving', 'sent', 'abandoned', 'done'],
  moving: ['pending'],
  sent: ['reading', 'discarding', 'lingering', 'closing', 'done'],
  reading: ['decoding', 'lingering', 'closing', 'done'],
  discarding: ['lingering', 'closing', 'done'],
  decoding: ['done'],
  abandoned: ['done'],
  lingering: ['closing', 'done'],
  closing: ['done'],
  done: [],
}

const names = Object.keys(Phase) as PhaseName[]
const masks = names.map(name => transitions[name].reduce((mask, to) => mask | (1 << Phase[to]), 0))

/**
 * Returns the phase that was entered.
 *
 * @throws Error if the table has no such transition, which is a bug in this code.
 */
export function enter(from: Phase, to: Phase): Phase {
  if (((masks[from] as number) & (1 << to)) === 0)
    throw new Error(`exchange: there is no transition from ${names[from]} to ${names[to]}`)
  return to
}
