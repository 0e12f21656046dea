import { threadCpuUsage } from 'node:process'

/** CPU time of the merge, in µs. */
const burnUs = 200_000

/** A merge that uses 200 ms of CPU time. It takes longer if other processes use the core. */
export function burn({ leaves }: { readonly leaves: readonly object[] }): { count: number } {
  const before = threadCpuUsage()
  for (;;) {
    const { user, system } = threadCpuUsage(before)
    if (user + system >= burnUs) return { count: leaves.length }
  }
}
