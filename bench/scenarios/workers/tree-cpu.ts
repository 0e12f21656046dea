import { readdirSync, readFileSync } from 'node:fs'

/**
 * Returns the CPU time of processes since their start, in µs. It is the sum over their threads, which Linux counts in
 * ns.
 */
export function cpuMicrosOf(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  }
  return nanos / 1000
}
