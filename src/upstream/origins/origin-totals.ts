import { maxNamedOrigins, otherOrigins } from '../../metrics/origin-readings.ts'
import type { OriginTotals, OriginVerdict } from './types.ts'

/** The counts of the origins that have left, so that the totals of an upstream never fall. */
export class LeftOrigins {
  readonly #left = new Map<string, OriginTotals>()

  /** Adds the counts of an origin that leaves. */
  leave(counts: OriginTotals): void {
    this.#add(this.#left, counts)
  }

  /** Counts an attempt that has ended after its origin had left. */
  ended(origin: string, verdict: OriginVerdict): void {
    if (verdict === 'ok' || verdict === 'failed')
      this.#add(this.#left, { origin, attempts: 1, failed: verdict === 'failed' ? 1 : 0, ejections: 0 })
  }

  /** Returns the totals of the present origins and of those that have left. */
  totals(present: readonly OriginTotals[]): readonly OriginTotals[] {
    for (const { origin } of present) this.#nameOf(origin)
    const all = new Map(this.#left)
    for (const counts of present) this.#add(all, counts)
    return [...all.values()]
  }

  #add(all: Map<string, OriginTotals>, { origin, attempts, failed, ejections }: OriginTotals): void {
    const name = this.#nameOf(origin)
    const before = all.get(name) as OriginTotals
    all.set(name, {
      origin: name,
      attempts: before.attempts + attempts,
      failed: before.failed + failed,
      ejections: before.ejections + ejections,
    })
  }

  /** Returns the name under which an origin is counted. The name has totals after the call. */
  #nameOf(origin: string): string {
    const name = this.#left.has(origin) || this.#left.size < maxNamedOrigins ? origin : otherOrigins
    if (!this.#left.has(name)) this.#left.set(name, { origin: name, attempts: 0, failed: 0, ejections: 0 })
    return name
  }
}
