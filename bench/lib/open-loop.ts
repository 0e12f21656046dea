import { setTimeout as pause } from 'node:timers/promises'

export interface OpenLoopOptions {
  readonly perSecond: number
  readonly seconds: number
  /** Ends the loop early. @default it sends for all its seconds */
  readonly signal?: AbortSignal
  /**
   * Time before the first request. Two loops with equal rates and different offsets do not send at the same moments.
   * @default 0
   */
  readonly offsetMs?: number
  /** Sends one request. Must not reject. */
  readonly send: (index: number, dueAt: number) => Promise<void>
}

/**
 * Sends requests on a fixed schedule, without waiting for earlier requests. Resolves when all requests have completed.
 * Measure latencies from `dueAt` (ms of `performance.now()`), so that they include the delay of the sender.
 */
export async function openLoop({ perSecond, seconds, signal, offsetMs = 0, send }: OpenLoopOptions): Promise<void> {
  const startedAt = performance.now() + offsetMs
  const count = Math.round(perSecond * seconds)
  const sent: Promise<void>[] = []
  while (sent.length < count && signal?.aborted !== true) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1)
    while (sent.length < due) sent.push(send(sent.length, startedAt + (sent.length / perSecond) * 1000))
    await pause(Math.max(1, startedAt + (sent.length / perSecond) * 1000 - performance.now()))
  }
  await Promise.all(sent)
}
