import type { KeptRun, RunRow } from '../../src/waterfall/kept-run.ts'
import { rowOf } from './fleet-runs.ts'

/** Returns what `GET /requests` answers: the runs that the filters select, newest first. */
export function listRuns(kept: ReadonlyMap<string, KeptRun>, filters: URLSearchParams): unknown {
  const has = (name: string, value: string | null) => !filters.has(name) || filters.get(name) === value
  const states = filters.get('state')?.split(',')
  const before = kept.get((filters.get('before') ?? '').split('_').at(-1) ?? '')
  const counts = { failed: 0, partial: 0, slow: 0, cancelled: 0, complete: 0 }
  const limit = Number(filters.get('limit') ?? 50)
  const runs: RunRow[] = []
  let next: string | null = null
  for (const run of [...kept.values()].reverse()) {
    counts[run.state]++
    if (before !== undefined && run.at >= before.at) continue
    if (states !== undefined && !states.includes(run.state)) continue
    if (!has('aggregate', run.aggregate) || !has('request', run.requestId) || !has('trace', run.traceId)) continue
    const upstream = filters.get('upstream')
    if (upstream !== null && !run.upstreams.includes(upstream)) continue
    if (run.ms < Number(filters.get('min') ?? 0)) continue
    const last = runs.at(-1)
    if (runs.length < limit) runs.push(rowOf(run))
    else if (last !== undefined) next ??= `${Date.parse(last.at)}_${last.id}`
  }
  return { runs, next, kept: counts, oldest: {}, incomplete: [] }
}
