/** Formats a time in ms with about three significant digits. */
export function formatMs(ms: number | null): string {
  if (ms === null || Number.isNaN(ms)) return '-'
  if (ms < 10) return ms.toFixed(2)
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0)
}

/** Formats a duration: `30 s`, `1.5 s`. */
export function formatSeconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

/** Formats counts by name: `200: 480, 503: 19`. */
export function formatCounts(counts: Readonly<Record<string, number>> | ReadonlyMap<string | number, number>): string {
  const pairs = counts instanceof Map ? ([...counts] as [string | number, number][]) : Object.entries(counts)
  return pairs.map(([name, count]) => `${name}: ${count}`).join(', ')
}

/** Formats rows as a table. The first column is left-aligned; all further columns are right-aligned. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)))
  const align = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return `${rows.map(row => row.map(align).join('  ')).join('\n')}\n`
}

const bars = { true: '▁▂▃▄▅▆▇█', false: '_.-=+*#@' } as const

/** Draws one character per value, scaled to the highest value. NaN is a space. */
export function sparkline(values: readonly number[], unicode: boolean): string {
  const levels = bars[`${unicode}`]
  const highest = Math.max(...values.filter(value => !Number.isNaN(value)))
  return values
    .map(value => {
      if (Number.isNaN(value)) return ' '
      return levels[Math.min(levels.length - 1, Math.floor((value / highest) * levels.length))] ?? levels[0]
    })
    .join('')
}
