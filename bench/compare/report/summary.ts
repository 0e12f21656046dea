import { medianInterval } from '../../lib/confidence-interval.ts'
import type { Window } from '../measure/window.ts'

/** Summary of the windows of one target at one fan-out. */
export interface Summary {
  readonly cpuMicros: { readonly median: number; readonly min: number; readonly max: number }
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly busy: number
  /** Maximum resident memory over all windows. */
  readonly peakBytes: number
  /** Maximum event loop delay over all windows, in ms; `null` for a target that does not run on Node.js. */
  readonly stallMs: number | null
}

/** Returns the summary of the windows of one target, or `undefined` if it has no windows. */
export function summaryOf(windows: readonly Window[], name: string): Summary | undefined {
  const own = windows.filter(({ target }) => target === name)
  if (own.length === 0) return undefined
  const middle = (key: 'cpuMicrosPerCall' | 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'busy') =>
    medianInterval(own.map(window => window[key])).median
  const cpu = own.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall)
  const stalls = own.flatMap(({ stallMs }) => stallMs ?? [])
  return {
    cpuMicros: { median: middle('cpuMicrosPerCall'), min: Math.min(...cpu), max: Math.max(...cpu) },
    callsPerSecond: middle('callsPerSecond'),
    p50Ms: middle('p50Ms'),
    p99Ms: middle('p99Ms'),
    busy: middle('busy'),
    peakBytes: Math.max(...own.map(({ peakBytes }) => peakBytes)),
    stallMs: stalls.length === 0 ? null : Math.max(...stalls),
  }
}
