// A thread that waits for the moment that is written down, says that it has come, and waits for another.
import { parentPort, workerData } from 'node:worker_threads'
import type { Alarm } from './thread-clock.ts'

const { turn, moment } = workerData as Alarm

for (;;) {
  const seen = Atomics.load(turn, 0)
  const left = (moment[0] as number) - Number(process.hrtime.bigint()) / 1e6
  if (left <= 0) parentPort?.postMessage('now')
  Atomics.wait(turn, 0, seen, left > 0 ? left : Infinity)
}
