import { setTimeout as pause } from 'node:timers/promises'
import { httpCaller } from '../../lib/http-caller.ts'
import { percentile } from '../../lib/percentile.ts'
import { openLoop } from '../../lib/open-loop.ts'
import type { Replicas } from './replicas.ts'

export interface ReloadOptions {
  /** Requests of the reloads and the restarts together, at least. */
  readonly requests: number
  /** Requests per second. */
  readonly rate: number
  readonly reloads: number
  /** Number of times that each replica is replaced. */
  readonly restarts: number
}

/** The requests during changes of one kind. */
export interface ChangeFigures {
  readonly change: string
  readonly changes: number
  readonly requests: number
  /** The requests without a reply with status 200. */
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const warmUpSeconds = 3

/** Reloads the definitions of all replicas, and replaces the replicas, under a load that nginx passes on. */
export async function measureReloads(replicas: Replicas, options: ReloadOptions): Promise<ChangeFigures[]> {
  const { requests, rate, reloads, restarts } = options
  // nginx closes the idle connections of callers when it reads its configuration.
  const caller = httpCaller(replicas.port, { path: '/leaf', closes: true })
  const send = (_index: number, dueAt: number) => caller.send(dueAt)

  async function measure(
    change: string,
    times: number,
    apply: (time: number) => Promise<void>,
  ): Promise<ChangeFigures> {
    const count = requests / 2
    const over = new AbortController()
    const load = openLoop({ perSecond: rate, seconds: Infinity, signal: over.signal, send })
    const startedAt = performance.now()
    try {
      for (let time = 1; time <= times; time++) {
        await apply(time)
        // The changes take at least the time of the requests.
        await pause(Math.max(0, startedAt + (time / times) * (count / rate) * 1000 - performance.now()))
      }
    } finally {
      over.abort()
      await load
    }
    const completed = caller.takeCompleted()
    const sortedMs = completed.map(({ dueAt, endedAt }) => endedAt - dueAt).sort((a, b) => a - b)
    return {
      change,
      changes: times,
      requests: completed.length,
      failed: completed.filter(({ status }) => status !== 200).length,
      p50Ms: percentile(sortedMs, 0.5),
      p99Ms: percentile(sortedMs, 0.99),
    }
  }

  try {
    await openLoop({ perSecond: rate / 2, seconds: warmUpSeconds, send })
    caller.takeCompleted()
    return [
      await measure('reload', reloads, time => replicas.reload(time)),
      await measure('rolling restart', restarts, () => replicas.restart()),
    ]
  } finally {
    await caller.close()
  }
}
