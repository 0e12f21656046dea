import { readRows, rowLabel, usual } from '../../compare/workload/row.ts'
import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { createMemoryCgroup } from './cgroup.ts'
import type { MemoryCgroup } from './cgroup.ts'
import { soakInCgroup } from './soak-in-cgroup.ts'
import { limits, megabytes, soakViolations } from './violations.ts'

/** Rows that saturate the service without a queue near its deadline: refusals would say nothing about memory. */
const rows = readRows('20,20+10kb,5', usual)

const help = `Runs headwaters serve in a control group with a memory limit, under saturating load in turns of 10 s, with the fan-outs
${rows.map(rowLabel).join('; ')}. The exit code is 1 if the service ends, or if fewer than ${limits.whole * 100} % of the replies
are 200. Without the permission to create a control group, prints one line and measures nothing.

Usage: npm run soak:memory -- [options]

  --seconds N  duration of the load (default 600)
  --mib N      limit of the control group in MiB (default 256)
  --help       prints this
`

await bench(async () => {
  const flags = readFlags(help, { seconds: 600, mib: 256 })
  if (flags === undefined) return []
  let cgroup: MemoryCgroup
  try {
    cgroup = createMemoryCgroup(flags.mib * 2 ** 20)
  } catch (error) {
    process.stdout.write(`skipped: a control group with a memory limit cannot be created: ${String(error)}\n`)
    return []
  }
  try {
    const soak = await soakInCgroup(cgroup, rows, flags.seconds)
    const { responses, non200, seconds, peakBytes } = soak
    process.stdout.write(
      `${seconds.toFixed(0)} s within ${flags.mib} MiB: ${responses} replies, ${non200} other than 200; ` +
        `peak of the resident memory ${megabytes(peakBytes)} MB, of the group with its page cache ` +
        `${megabytes(cgroup.read().peakBytes)} MB\n`,
    )
    return soakViolations(soak)
  } finally {
    cgroup.remove()
  }
})
