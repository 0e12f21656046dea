import { setTimeout as pause } from 'node:timers/promises'

const withinMs = 30_000
const pauseMs = 20

/** Resolves when `holds` resolves with true. Rejects when that takes more than 30 s. */
export async function poll(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${withinMs} ms`)
    await pause(pauseMs)
  }
}
