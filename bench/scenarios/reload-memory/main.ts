import { formatTable } from '../../../src/commands/load/format.ts'
import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { measureGrowth } from './measure-growth.ts'

const help = `Reloads changed definitions in one process of the service, and measures the heap that the reloads keep. In one process each
reload changes one aggregate, in another one a module that all aggregates import. The exit code is 1 if a reload keeps more
than 40 kB for each file that it evaluates.

Usage: npm run bench:reload-memory -- [options]

  --files N     files of the definitions (default 20)
  --reloads N   reloads of each process (default 980, after 20 to warm up)
  --help        prints this
`

/** The largest heap that a reload may keep for each file that it evaluates, in bytes. */
const mostPerFile = 40_000

await bench(async () => {
  const flags = readFlags(help, { files: 20, reloads: 980 })
  if (flags === undefined) return []
  const rows = [await measureGrowth('aggregate', flags), await measureGrowth('shared module', flags)].map(growth => ({
    ...growth,
    perReload: (growth.after - growth.before) / growth.reloads,
  }))
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
  process.stdout.write(
    formatTable([
      ['changed file', 'evaluated', 'reloads', 'before MB', 'after MB', 'kB per reload'],
      ...rows.map(({ change, evaluated, reloads, before, after, perReload }) => [
        change,
        String(evaluated),
        String(reloads),
        mb(before),
        mb(after),
        (perReload / 1000).toFixed(1),
      ]),
    ]),
  )
  return rows.flatMap(({ change, evaluated, perReload }) =>
    perReload > mostPerFile * evaluated ? [`${change}: a reload keeps ${(perReload / 1000).toFixed(1)} kB`] : [],
  )
})
