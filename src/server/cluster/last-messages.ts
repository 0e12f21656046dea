import { setTimeout as delay } from 'node:timers/promises'

/** The time after the exit of a worker in which its last messages are read, in ms. */
const lastMessagesMs = 1000

/** Resolves when the last messages of a worker that has just exited are read. It keeps no process alive. */
export async function lastMessagesRead(): Promise<void> {
  await delay(lastMessagesMs, undefined, { ref: false })
}
