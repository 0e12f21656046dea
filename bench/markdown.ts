import type { Measured, Measurement } from './measure.ts'
import { ratioOf } from './ratios.ts'
import { intervalText, mebibytes } from './report.ts'
import { summaryOf } from './summary.ts'
import { kindOf, twin } from './targets.ts'

/** What a run measured as tables for a page: ratios, costs, memory and stalls. */
export function markdownOf ({ targets, idleBytes, fanouts }: Measurement): string {
  const named = targets.filter(name => name !== twin.name)
  const others = named.filter(name => name !== 'service')
  const pairs = [
    ...named.includes('service') ? others.map(name => ['service', name] as const) : [],
    ...targets.includes(twin.name) ? [[twin.name, twin.of] as const] : [],
  ]
  const ratios = table(
    ['fan-out', ...pairs.map(([of, to]) => of === twin.name ? 'noise: `pool.dispatch` twice' : `to ${code(to)}`), 'windows dropped'],
    fanouts.map(({ fanout, windows, dropped }) => [String(fanout), ...pairs.map(([of, to]) => {
      const ratio = ratioOf(windows, of, to)
      return ratio === undefined ? '–' : intervalText(ratio)
    }), `${dropped.length} of ${windows.length + dropped.length}`]),
  )
  const costs = table(['µs a call', ...named.map(code)], cells(fanouts, named, ({ cpuMicros }) => cpuMicros.median.toFixed(1)))
  const memory = table(['peak MiB (grown)', ...named.map(code)], cells(fanouts, named, ({ peakBytes }, name) => {
    const idle = idleBytes[name]
    return idle === undefined ? mebibytes(peakBytes) : `${mebibytes(peakBytes)} (${mebibytes(peakBytes - idle)})`
  }))
  const stalls = table(['longest stall, ms', ...named.map(code)], cells(fanouts, named, ({ stallMs }) => stallMs === null ? '–' : stallMs.toFixed(0)))
  return [ratios, costs, memory, stalls].join('\n')
}

function cells (fanouts: readonly Measured[], names: readonly string[], cell: (summary: NonNullable<ReturnType<typeof summaryOf>>, name: string) => string) {
  return fanouts.map(({ fanout, windows }) => [String(fanout), ...names.map(name => {
    const summary = summaryOf(windows, name)
    return summary === undefined ? '–' : cell(summary, name)
  })])
}

function table (head: readonly string[], rows: readonly (readonly string[])[]) {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |\n`).join('')
}

/** A label with the names of functions as code. */
function code (name: string) {
  return kindOf(name).label.replaceAll(/\b(pool\.\w+|fetch)\b/gi, '`$1`')
}
