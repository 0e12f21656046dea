/** A time in ms with as many figures as it deserves. */
export function msText(ms: number | null): string {
  if (ms === null || Number.isNaN(ms)) return '-'
  if (ms < 10) return ms.toFixed(2)
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0)
}

/** A time span such as `30 s` or `1.5 s`. */
export function secondsText(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}

export function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`
}

/** Counts by name: `200: 480, 503: 19`. */
export function countsText(counts: Readonly<Record<string, number>> | ReadonlyMap<string | number, number>): string {
  const pairs = counts instanceof Map ? ([...counts] as [string | number, number][]) : Object.entries(counts)
  return pairs.map(([name, count]) => `${name}: ${count}`).join(', ')
}
