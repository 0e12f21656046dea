/** Sets and clears timers of Node.js, or virtual timers. */
export interface Timers<Timer> {
  readonly set: (onTimeout: () => void, ms: number) => Timer
  readonly clear: (timer: Timer | undefined) => void
}

export interface RaceOptions<Candidate, Connection, Timer> {
  /** The candidates in the order of their attempts; at least one. */
  readonly candidates: readonly Candidate[]
  /** The connection attempt delay: the time between the starts of two attempts, in ms. */
  readonly delay: number
  readonly timers: Timers<Timer>
  /**
   * Starts one attempt and returns the function that destroys it. The attempt does not call `ended` before `attempt`
   * has returned.
   */
  readonly attempt: (candidate: Candidate, ended: (error: Error | null, connection?: Connection) => void) => () => void
  /**
   * Receives the first connection. Without a connection, receives the errors of all attempts in the order of the
   * failures.
   */
  readonly done: (connection: Connection | undefined, errors: readonly Error[]) => void
}

/**
 * Races connection attempts (RFC 8305, section 5). The next attempt starts when the delay has passed, or at once when
 * the latest attempt has failed. Earlier attempts continue. The first connection is used, and all other attempts are
 * destroyed.
 *
 * @returns A function that destroys every attempt. `done` is not called after it.
 */
export function raceConnections<Candidate, Connection, Timer>({
  candidates,
  delay,
  timers,
  attempt,
  done,
}: RaceOptions<Candidate, Connection, Timer>): () => void {
  const pending = new Map<number, () => void>()
  const errors: Error[] = []
  let started = 0
  let timer: Timer | undefined

  function start(): void {
    const index = started++
    if (started < candidates.length) timer = timers.set(start, delay)
    pending.set(
      index,
      attempt(candidates[index] as Candidate, (error, connection) => {
        // The event of a destroyed attempt may already be queued.
        if (!pending.delete(index)) return
        if (error === null) {
          stop()
          done(connection, errors)
        } else {
          errors.push(error)
          failed(index)
        }
      }),
    )
  }

  function failed(index: number): void {
    if (started === candidates.length) {
      if (pending.size === 0) done(undefined, errors)
    } else if (index === started - 1) {
      timers.clear(timer)
      start()
    }
  }

  function stop(): void {
    timers.clear(timer)
    for (const destroy of pending.values()) destroy()
    pending.clear()
  }

  start()
  return stop
}

/**
 * Orders addresses so that the families alternate, starting with the family of the first address (RFC 8305, section 4).
 *
 * @example `[v6a, v6b, v6c, v4a]` becomes `[v6a, v4a, v6b, v6c]`
 */
export function interleave<Address extends { readonly family: number }>(addresses: readonly Address[]): Address[] {
  const preferred = addresses.filter(({ family }) => family === addresses[0]?.family)
  const others = addresses.filter(({ family }) => family !== addresses[0]?.family)
  return Array.from({ length: Math.max(preferred.length, others.length) }, (_, at) => [preferred[at], others[at]])
    .flat()
    .filter(address => address !== undefined)
}
