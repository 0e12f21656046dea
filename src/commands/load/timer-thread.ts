// The timer thread of the precise clock. It sleeps until the shared moment, posts a message, and sleeps again.
import { parentPort, workerData } from 'node:worker_threads'
import type { SharedTimer } from './clock.ts'

const { version, wakeAt } = workerData as SharedTimer

for (;;) {
  const seen = Atomics.load(version, 0)
  const remainingMs = (wakeAt[0] as number) - Number(process.hrtime.bigint()) / 1e6
  if (remainingMs <= 0) parentPort?.postMessage('now')
  Atomics.wait(version, 0, seen, remainingMs > 0 ? remainingMs : Infinity)
}
