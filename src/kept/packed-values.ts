import type { State } from '../fanout/outcome.ts'
import type { AttemptKind, ResendRefusal } from '../upstream/call/events.ts'
import type { Cached } from '../upstream/spec/answer.ts'

export const states: readonly State[] = ['ok', 'stale', 'partial', 'fallback', 'skipped', 'failed', 'cancelled']
export const attemptKinds: readonly AttemptKind[] = ['first', 'retry', 'hedge']
export const refusals: readonly ResendRefusal[] = ['budget', 'deadline', 'retry-after', 'permit', 'breaker']
export const cacheUses: readonly Cached['cache'][] = ['hit', 'stale', 'miss']

const size = 65_536

/**
 * Returns three numbers from 0 to 65 535 as one. A double has room for them: 48 bits of 53. A larger number is cut: the
 * attempts of a call have no limit.
 */
export function packed(first: number, second: number, third: number): number {
  return first + size * (Math.min(second, size - 1) + size * third)
}

/** Returns the three numbers of `packed`. */
export function unpacked(value: number): readonly [number, number, number] {
  const rest = Math.floor(value / size)
  return [value % size, rest % size, Math.floor(rest / size)]
}
