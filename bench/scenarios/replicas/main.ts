import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { measureFaults } from './measure-faults.ts'
import { measureLimits } from './measure-limits.ts'

const help = `Measures replicas with a Redis that has a fault, beside replicas without Redis. Their windows take turns. Each request has
a new key, so that the upstream is called for each. The first window begins 1 s after the fault. Fails when the median ratio of the
p99 is above 1.3, or when a request has no reply with status 200.

With --limits, one client sends requests at twice its limit to all replicas, one of which is killed. Fails when the requests
admitted in a window of one minute differ from the limit by more than 2 %.

Usage: npm run bench:replicas -- [options]
       npm run bench:replicas -- --limits [options]

  --replicas N  replicas of each kind (default 3)
  --rate N      requests per second (default 200, with --limits 100)
  --rounds N    windows of each kind and fault (default 9)
  --seconds N   length of a window (default 2)
  --delay N     time of a call to the upstream, in ms (default 20)
  --help        prints this
`

const [mode, ...rest] = process.argv.slice(2)
await bench(async () => {
  if (mode === '--limits') {
    const flags = readFlags(help, { replicas: 3, rate: 100 }, rest)
    return flags === undefined ? [] : measureLimits(flags)
  }
  const flags = readFlags(help, { replicas: 3, rate: 200, rounds: 9, seconds: 2, delay: 20 })
  return flags === undefined ? [] : measureFaults({ ...flags, perSecond: flags.rate })
})
