import { formatTable } from '../../../../src/commands/load/format.ts'
import { measureCrashes, type CrashedRun } from './measure-crashes.ts'

/** Measures runs with crashes in both ways, and prints their results. Returns the violations. */
export async function reportCrashes(items: number): Promise<string[]> {
  const runs: CrashedRun[] = []
  for (const sharing of ['queue', 'disk'] as const) {
    const run = await measureCrashes(sharing, items)
    process.stdout.write(`${sharing}: kill -9 of ${run.crashes.join(', ')}\n`)
    runs.push(run)
  }
  process.stdout.write(
    formatTable([
      ['shared by', 'items', 's', 'items /s', 'missing', 'duplicates', 'wrong', 'ran more than once', 'most runs'],
      ...runs.map(run => [
        run.sharing,
        String(items),
        run.seconds.toFixed(0),
        (items / run.seconds).toFixed(0),
        String(run.missing),
        String(run.duplicates),
        String(run.wrong),
        String(run.repeated),
        String(run.most),
      ]),
    ]),
  )
  return runs.flatMap(({ sharing, missing, duplicates, wrong }) =>
    missing + duplicates + wrong === 0
      ? []
      : [`${sharing}: ${missing} results are missing, ${duplicates} are duplicates, and ${wrong} are wrong`],
  )
}
