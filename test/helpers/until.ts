import { once, type EventEmitter } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'

export interface UntilOptions {
  /** How long the condition may take to hold, in ms. @default 45000 */
  readonly withinMs?: number
  /** Says in the error what was there instead. */
  readonly seen?: () => unknown
  /**
   * True to check in each turn of the event loop: for a state that lasts for one turn, and for a check that is load.
   * @default false
   */
  readonly everyTurn?: boolean
}

/** Less than the timeout of tap, so that the error of a wait is seen. */
const patience = 45_000

/** The number of checks in turns of the event loop that follow each other. Most conditions of one process hold then. */
const quickChecks = 50
/** The pause between later checks, in ms. It leaves the processor to the processes that are waited for. */
const pauseMs = 5

/**
 * Resolves when a condition holds. Checks it in the next turns of the event loop, and every few ms afterwards.
 *
 * @throws Error with the text of the condition when it does not hold within `withinMs`.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs = patience, seen, everyTurn = false }: UntilOptions = {},
): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  for (let checks = 1; !(await condition()); checks++) {
    if (performance.now() > giveUpAt) throw notHeld(condition, withinMs, seen)
    await (everyTurn || checks < quickChecks ? setImmediate() : setTimeout(pauseMs))
  }
}

/**
 * Resolves when a condition holds. Checks it at once, and again at each event of that name.
 *
 * @throws Error with the text of the condition when it does not hold within `withinMs`.
 */
export async function untilEvent(
  emitter: EventEmitter,
  event: string,
  condition: () => boolean,
  { withinMs = patience, seen }: Omit<UntilOptions, 'everyTurn'> = {},
): Promise<void> {
  if (condition()) return
  const signal = AbortSignal.timeout(withinMs)
  while (!condition())
    await once(emitter, event, { signal }).catch((error: unknown) => {
      throw signal.aborted ? notHeld(condition, withinMs, seen) : error
    })
}

/**
 * Resolves when `ms` have passed since `since`: for a duration that is itself under test, such as a time to live. Use
 * `until` to wait for something that happens.
 */
export async function elapsed(ms: number, since = performance.now()): Promise<void> {
  // A timer may ring up to 1 ms early.
  for (let left = ms; left > 0; left = since + ms - performance.now()) await setTimeout(Math.ceil(left))
}

/** Resolves with what `work` resolves with, or with `undefined` when it has not done so within `ms`. */
export function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController()
  const late = setTimeout(ms, undefined, { signal: timer.signal }).catch(() => undefined)
  return Promise.race([work, late]).finally(() => timer.abort())
}

function notHeld(condition: () => unknown, withinMs: number, seen: (() => unknown) | undefined): Error {
  const instead = seen === undefined ? '' : `; seen: ${JSON.stringify(seen())}`
  return new Error(
    `after ${withinMs} ms this does not hold: ${String(condition).replace(/^(?:async )?\(\) => /, '')}${instead}`,
  )
}
