import type { ChartData, LineName } from './chart-data.ts'
import { absent, latency, rate, share } from './format.ts'

/** The unit of the values of a chart. */
export type Unit = 'rate' | 'ms' | 'count' | 'percent'

/** One line of a chart, with its entry in the legend. */
export interface LineSpec {
  readonly name: LineName
  /** The name in the legend. */
  readonly label: string
  /** The drawing; a `hatch` fills the area between the line and the line before it. */
  readonly shape: 'area' | 'line' | 'thin' | 'dashed' | 'hatch'
  /** Returns the value in the legend, if it is not that of the line. */
  readonly value?: (data: ChartData, at: number) => number | null
}

/** One chart of the detail. */
export interface ChartSpec {
  readonly title: string
  readonly unit: Unit
  /** The height of the plot, in CSS pixels. */
  readonly height: number
  readonly lines: readonly LineSpec[]
  /** `true` for a chart that is shown only if one of its lines has a value other than 0. */
  readonly isOptional: boolean
}

/** The charts of an upstream, from the top. */
export const chartSpecs: readonly ChartSpec[] = [
  {
    title: 'Attempts per second',
    unit: 'rate',
    height: 104,
    isOptional: false,
    lines: [
      { name: 'answered', label: 'answered', shape: 'area' },
      { name: 'attempts', label: 'failed', shape: 'hatch', value: failedAt },
    ],
  },
  {
    title: 'Latency of attempts',
    unit: 'ms',
    height: 104,
    isOptional: false,
    lines: [
      { name: 'p50', label: 'p50', shape: 'thin' },
      { name: 'p95', label: 'p95', shape: 'line' },
      { name: 'p99', label: 'p99', shape: 'dashed' },
    ],
  },
  {
    title: 'Permits',
    unit: 'count',
    height: 80,
    isOptional: false,
    lines: [
      { name: 'permits', label: 'used', shape: 'area' },
      { name: 'permitLimit', label: 'limit', shape: 'dashed' },
      { name: 'queued', label: 'queued calls', shape: 'line' },
    ],
  },
  {
    title: 'Retries and hedges',
    unit: 'rate',
    height: 80,
    isOptional: true,
    lines: [
      { name: 'retries', label: 'retries', shape: 'line' },
      { name: 'hedges', label: 'hedges', shape: 'thin' },
      { name: 'hedgesWon', label: 'hedges won', shape: 'dashed' },
      { name: 'refusedResends', label: 'not sent', shape: 'dashed' },
    ],
  },
  {
    title: 'Answers from the cache',
    unit: 'percent',
    height: 72,
    isOptional: true,
    lines: [{ name: 'cacheShare', label: 'of the calls', shape: 'area' }],
  },
]

/** Returns a value of a chart with its unit. */
export function withUnit(value: number | null, unit: Unit): string {
  if (value === null) return absent
  switch (unit) {
    case 'rate':
      return `${rate(value)}/s`
    case 'ms':
      return latency(value)
    case 'count':
      return String(Math.round(value))
    case 'percent':
      return share(value / 100)
  }
}

/** Returns the smallest top of the axis: a chart of zeros has an axis too. */
export function topOf(unit: Unit, max: number | null): number {
  if (unit === 'percent') return 100
  const least = unit === 'ms' ? 10 : unit === 'count' ? 4 : 1
  return Math.max(least, (max ?? 0) * 1.08)
}

function failedAt({ lines }: ChartData, at: number): number | null {
  return (lines.attempts[at] ?? 0) - (lines.answered[at] ?? 0)
}
