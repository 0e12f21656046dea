import { setTimeout as pause } from 'node:timers/promises'

export interface OpenLoopOptions {
  readonly perSecond: number
  readonly seconds: number
  /** Sends one; must not reject. */
  readonly send: (index: number, dueAt: number) => Promise<void>
}

/**
 * Sends at moments that were fixed beforehand, whatever has become of the earlier ones, and resolves when all have
 * ended. Measure from `dueAt` (ms, as `performance.now()`): what the sender is late by is then part of the latency and
 * not lost.
 */
export async function openLoop({ perSecond, seconds, send }: OpenLoopOptions): Promise<void> {
  const startedAt = performance.now()
  const count = Math.round(perSecond * seconds)
  const sent: Promise<void>[] = []
  while (sent.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000) + 1)
    while (sent.length < due) sent.push(send(sent.length, startedAt + (sent.length / perSecond) * 1000))
    await pause(Math.max(1, startedAt + (sent.length / perSecond) * 1000 - performance.now()))
  }
  await Promise.all(sent)
}
