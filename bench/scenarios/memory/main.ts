import { formatTable } from '../../../src/commands/load/format.ts'
import { readRows, rowLabel, usual } from '../../compare/workload/row.ts'
import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { accounted } from '../../lib/process-files.ts'
import { measurePeaks } from './measure-peak.ts'
import { targets } from './targets.ts'
import { limits, megabytes, peakViolations } from './violations.ts'

const help = `Measures the peak of the resident memory of headwaters serve under the load of the case serve: from its sources
(serve), and as it is built for the package (package), beside Pool.request by hand. Each row has a new process. The
exit code is 1 if the peak of headwaters serve at fan-out 20 with 32 callers is above ${megabytes(limits.peakBytes)} MB.

Usage: npm run bench:memory -- [options]

  --seconds N  duration of the load of each row (default 20)
  --help       prints this
`

const rows = readRows('1,5,20,100,20+10kb,5+512callers', usual)
const head = ['target', 'fan-out', 'idle MB', 'peak MB', 'after MB', 'replies', 'other than 200']

await bench(async () => {
  const flags = readFlags(help, { seconds: 20 })
  if (flags === undefined) return []
  if (!accounted) throw new Error('the memory of a process cannot be measured on this machine: it has no /proc')
  const measured = await measurePeaks(targets, rows, flags.seconds)
  process.stdout.write(
    formatTable([
      head,
      ...measured.map(({ target, row, idleBytes, peakBytes, afterBytes, responses, non200 }) => [
        target,
        rowLabel(row),
        megabytes(idleBytes),
        megabytes(peakBytes),
        megabytes(afterBytes),
        String(responses),
        String(non200),
      ]),
    ]),
  )
  return peakViolations(measured)
})
