import type { Timers } from '../connect/happy-eyeballs.ts'
import type { Records } from '../connect/records.ts'
import { isDiscovered, type OriginSpec } from '../spec/origins-spec.ts'
import { areSame, listedEndpoint, unique } from './endpoints.ts'
import { findOrigins } from './find-origins.ts'
import type { Endpoint } from './types.ts'
import { unrefTimers } from './unref-timers.ts'

/** The endpoints of all entries of a list, kept current. */
export interface Discovery {
  /** Returns the error because of which no endpoint is known; `undefined` if one is known or may still be found. */
  readonly failure: () => Error | undefined
  /** Ends all questions. No callback is called after it. */
  readonly close: () => void
}

export interface DiscoverOptions {
  readonly entries: readonly OriginSpec[]
  readonly records: Records
  /** True if only public addresses of names are used. */
  readonly isPublic: boolean
  /**
   * Called with all endpoints whenever they change. If an entry is the URL of one origin, it is called before
   * `discover` returns.
   */
  readonly changed: (endpoints: readonly Endpoint[]) => void
  /** Called when a question has failed, no endpoint is known, and every name was asked at least once. */
  readonly failed: () => void
  readonly timers?: Timers<NodeJS.Timeout>
  readonly random?: () => number
}

/** The bounds on the time between two rounds of questions, in ms. */
const minRoundMs = 1000
const maxRoundMs = 5 * 60_000
/** The limit on the time after failed rounds, in ms. It doubles from `minRoundMs`. */
const maxBackoffMs = 30_000

/** One entry of the list with its last result. */
interface Source {
  endpoints: readonly Endpoint[]
  /** The error of the last round. */
  error: Error | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * Finds the endpoints of a list of origins. The records of a name are asked for again when they are no longer valid. A
 * round that fails keeps the endpoints that are known, because an address that may have moved is better than none.
 */
export function discover({
  entries,
  records,
  isPublic,
  changed,
  failed,
  timers = unrefTimers,
  random = Math.random,
}: DiscoverOptions): Discovery {
  let isClosed = false
  let known: readonly Endpoint[] = []

  const sources = entries.map((entry): Source => {
    return { endpoints: isDiscovered(entry) ? [] : [listedEndpoint(entry)], error: undefined, timer: undefined }
  })

  const failure = () =>
    known.length === 0 && sources.every(({ error }) => error !== undefined) ? sources[0]?.error : undefined

  function publish(): void {
    const endpoints = unique(sources.flatMap(source => source.endpoints))
    if (areSame(endpoints, known)) return
    known = endpoints
    changed(endpoints)
  }

  function follow(source: Source, find: ReturnType<typeof findOrigins>): void {
    let failures = 0

    async function round(): Promise<void> {
      const { endpoints, ttlMs, error } = await find()
      if (isClosed) return
      source.endpoints = endpoints
      source.error = error
      failures = error === undefined ? 0 : failures + 1
      const delay = delayAfter(ttlMs, endpoints.length === 0 ? 1 : failures)
      // Early by up to a tenth, so that processes that started together do not ask together.
      source.timer = timers.set(() => void round(), delay * (1 - random() / 10))
      publish()
      if (failure() !== undefined) failed()
    }

    void round()
  }

  publish()
  for (const [index, entry] of entries.entries()) {
    if (isDiscovered(entry)) follow(sources[index] as Source, findOrigins(entry, records, isPublic))
  }

  return {
    failure,
    close() {
      isClosed = true
      for (const { timer } of sources) timers.clear(timer)
    },
  }
}

/** Returns the time until the next round, in ms: when a record ends, or sooner after failed rounds. */
function delayAfter(ttlMs: number, failures: number): number {
  const valid = Math.min(maxRoundMs, Math.max(minRoundMs, ttlMs))
  return failures === 0 ? valid : Math.min(valid, maxBackoffMs, minRoundMs * 2 ** (failures - 1))
}
