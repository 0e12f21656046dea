import { threadCpuUsage } from 'node:process'

/** Of CPU, in µs. */
const burnUs = 200_000

/** A merge that keeps a core busy for 200 ms, however long the machine takes to give them. */
export function burn({ leaves }: { readonly leaves: readonly object[] }): { count: number } {
  const before = threadCpuUsage()
  for (;;) {
    const { user, system } = threadCpuUsage(before)
    if (user + system >= burnUs) return { count: leaves.length }
  }
}
