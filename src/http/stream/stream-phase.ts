/** The phases of a stream. From `ending` on, its last event is known and no other event is accepted. */
export const StreamPhase = {
  /** The run has not planned its steps: an error is still a plain reply. */
  opening: 0,
  /** The plan was written: the status is 200, and a failure is an event. */
  open: 1,
  /** The last event is being written. The run has ended. */
  ending: 2,
  /** The run failed before its plan, and the reply is plain. */
  plain: 3,
  /** The last event was written. */
  ended: 4,
  /** The caller closed the connection before the end. */
  left: 5,
  /** The service closed the connection before the end, because the caller did not read. */
  cut: 6,
} as const

export type StreamPhase = (typeof StreamPhase)[keyof typeof StreamPhase]

export type StreamPhaseName = keyof typeof StreamPhase

/** Every transition. docs/design.md has the same table. */
export const streamTransitions: Readonly<Record<StreamPhaseName, readonly StreamPhaseName[]>> = {
  opening: ['open', 'plain', 'left'],
  open: ['ending', 'left', 'cut'],
  ending: ['ended', 'left', 'cut'],
  plain: [],
  ended: [],
  left: [],
  cut: [],
}

const names = Object.keys(StreamPhase) as StreamPhaseName[]
const masks = names.map(name => streamTransitions[name].reduce((mask, to) => mask | (1 << StreamPhase[to]), 0))

/**
 * Returns the phase that was entered.
 *
 * @throws Error if the table does not have the transition, which is a bug in the callers of this function.
 */
export function enterStreamPhase(from: StreamPhase, to: StreamPhase): StreamPhase {
  if (((masks[from] as number) & (1 << to)) === 0)
    throw new Error(`stream: there is no transition from ${names[from]} to ${names[to]}`)
  return to
}
