import type { Window } from './window.ts'

export interface Spread { readonly median: number, readonly min: number, readonly max: number }
export interface Ratio {
  readonly of: string
  readonly to: string
  /** Of the paired windows of a round. */
  readonly ratio: Spread
  /** Of the cheapest window of each: what a disturbed machine spoils last. */
  readonly best: number
  readonly rounds: number
}

export const twin = 'floor-dispatch-twin'

const pairs: readonly (readonly [of: string, to: string, remark: string])[] = [
  ['service', 'floor-request', ''],
  ['service', 'floor-dispatch', ''],
  ['floor-dispatch', 'floor-request', ''],
  [twin, 'floor-dispatch', 'noise: the same code twice'],
]

/** Ratios of CPU per call, each from the two windows of one round: the machine's speed moves between rounds. */
export function ratiosOf (windows: readonly Window[]): Ratio[] {
  return pairs.flatMap(([of, to]) => {
    const ratios = windows.filter(({ target }) => target === of).flatMap(window => {
      const other = windows.find(({ target, round }) => target === to && round === window.round)
      return other ? [window.cpuMicrosPerCall / other.cpuMicrosPerCall] : []
    })
    const best = bestOf(windows, of) / bestOf(windows, to)
    return ratios.length === 0 ? [] : [{ of, to, ratio: spread(ratios), best, rounds: ratios.length }]
  })
}

/** The table of one fan-out. */
export function tableOf (fanout: number, targets: readonly string[], windows: readonly Window[]): string {
  const head = row(`fan-out ${fanout}`, ['µs/call', 'min–max', 'calls/s', 'p50 ms', 'p99 ms', 'busy'])
  const rows = targets.map(name => {
    const own = windows.filter(({ target }) => target === name)
    if (own.length === 0) return row(name, ['no window left'])
    const cpuMicros = spread(own.map(window => window.cpuMicrosPerCall))
    const middle = (key: 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'busy') => spread(own.map(window => window[key])).median
    return row(name, [
      cpuMicros.median.toFixed(1),
      `${cpuMicros.min.toFixed(1)}–${cpuMicros.max.toFixed(1)}`,
      middle('callsPerSecond').toFixed(0),
      middle('p50Ms').toFixed(1),
      middle('p99Ms').toFixed(1),
      `${(middle('busy') * 100).toFixed(0)} %`,
    ])
  })
  const ratios = ratiosOf(windows).map(({ of, to, ratio: { median, min, max }, best }) => {
    const remark = pairs.find(pair => pair[0] === of && pair[1] === to)?.[2]
    return `  ${`${of} / ${to}`.padEnd(40)}${median.toFixed(2)}  (${min.toFixed(2)}–${max.toFixed(2)})  best ${best.toFixed(2)}${remark && `  ${remark}`}`
  })
  return [head, ...rows, '', ...ratios, ''].join('\n')
}

export function spread (values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return {
    median: ((sorted[Math.floor(half)] ?? NaN) + (sorted[Math.ceil(half)] ?? NaN)) / 2,
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
  }
}

function bestOf (windows: readonly Window[], name: string) {
  return Math.min(...windows.filter(({ target }) => target === name).map(window => window.cpuMicrosPerCall))
}

function row (name: string, cells: readonly string[]) {
  return `${name.padEnd(22)}${cells.map((cell, index) => cell.padStart(index === 1 ? 14 : 9)).join('')}`
}
