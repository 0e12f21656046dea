import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'

/** The counts of one origin, or of all origins that have no series of their own. */
interface OriginCounts {
  readonly origin: string
  readonly attempts: number
  readonly failed: number
  readonly ejections: number
}

/** The values of an upstream with several origins. */
export interface OriginReadings {
  readonly panics: number
  /** The present origins. */
  readonly origins: readonly {
    readonly origin: string
    readonly state: (typeof originStates)[number]
    readonly active: number
    readonly latencyMs: number | null
  }[]
  /** The counts of all origins with a series. They never fall. */
  readonly totals: readonly OriginCounts[]
}

export const originStates = ['available', 'ejected', 'unhealthy'] as const
export const originResults = ['ok', 'failed'] as const

/** The number of origins of an upstream that have series of their own. The addresses of a name may change each day. */
export const maxNamedOrigins = 100

/** The value of `origin` for all other origins. */
export const otherOrigins = 'other'

/** The slots of one origin. */
interface OriginSlots {
  readonly active: number
  readonly latency: number
  readonly ok: number
  readonly failed: number
  readonly ejections: number
}

/** Reads the state of the origins of an upstream. Its series are added with their first values. */
export class OriginReader {
  readonly #upstream: string
  readonly #states: SeriesTable
  readonly #active: SeriesTable
  readonly #latency: SeriesTable
  readonly #attempts: SeriesTable
  readonly #ejections: SeriesTable
  readonly #panics: SeriesTable
  readonly #slots = new Map<string, OriginSlots>()
  #readings: OriginReadings | undefined

  constructor(metrics: Metrics, upstream: string) {
    this.#upstream = upstream
    this.#states = metrics.table(families.origins)
    this.#active = metrics.table(families.originActiveAttempts)
    this.#latency = metrics.table(families.originLatency)
    this.#attempts = metrics.table(families.originAttempts)
    this.#ejections = metrics.table(families.originEjections)
    this.#panics = metrics.table(families.originPanicAttempts)
  }

  read(readings: OriginReadings): void {
    this.#readings = readings
  }

  add(): void {
    if (this.#readings === undefined) return
    const { panics, origins, totals } = this.#readings
    for (const present of originStates)
      this.#states.addRead(
        this.#states.slot(this.#upstream, present),
        origins.filter(({ state }) => state === present).length,
      )
    this.#panics.addRead(shown(this.#panics, this.#upstream), panics)
    for (const { origin, attempts, failed, ejections } of totals) {
      const slots = this.#slotsOf(origin)
      this.#attempts.addRead(slots.ok, attempts - failed)
      this.#attempts.addRead(slots.failed, failed)
      this.#ejections.addRead(slots.ejections, ejections)
      this.#active.addRead(slots.active, 0)
      this.#setLatency(slots.latency, 0)
    }
    for (const { origin, active, latencyMs } of origins) {
      const slots = this.#slots.get(origin) ?? this.#slotsOf(otherOrigins)
      this.#active.addRead(slots.active, active)
      this.#setLatency(slots.latency, (latencyMs ?? 0) / 1000)
    }
  }

  /** Keeps the counters of an upstream that has closed. Call it after the last `read`. */
  retire(): void {
    if (this.#readings === undefined) return
    const { panics, totals } = this.#readings
    this.#panics.retire(shown(this.#panics, this.#upstream), panics)
    for (const { origin, attempts, failed, ejections } of totals) {
      const slots = this.#slotsOf(origin)
      this.#attempts.retire(slots.ok, attempts - failed)
      this.#attempts.retire(slots.failed, failed)
      this.#ejections.retire(slots.ejections, ejections)
    }
  }

  #setLatency(slot: number, seconds: number): void {
    const longest = this.#latency.values[slot] as number
    this.#latency.set(slot, longest > seconds ? longest : seconds)
  }

  #slotsOf(origin: string): OriginSlots {
    const known = this.#slots.get(origin)
    if (known !== undefined) return known
    const upstream = this.#upstream
    const slots = {
      active: this.#active.slot(upstream, origin),
      latency: this.#latency.slot(upstream, origin),
      ok: shown(this.#attempts, upstream, origin, originResults[0]),
      failed: shown(this.#attempts, upstream, origin, originResults[1]),
      ejections: shown(this.#ejections, upstream, origin),
    }
    this.#slots.set(origin, slots)
    return slots
  }
}

/** Returns the slot of a counter that is rendered from the start, so that a rate has its first event. */
function shown(table: SeriesTable, ...labelValues: readonly string[]): number {
  const slot = table.slot(...labelValues)
  table.show(slot)
  return slot
}
