import * as families from './families.ts'
import { LabelValues } from './label-values.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

/** The values of `error_type` of a DNS lookup, before `other`. */
export const dnsErrors = new LabelValues([
  '',
  'ENOTFOUND',
  'ENODATA',
  'EAI_AGAIN',
  'ESERVFAIL',
  'EREFUSED',
  'ETIMEOUT',
  'ECANCELLED',
])

/** Observes the DNS lookups of a runtime. */
export class DnsMetrics {
  readonly #duration: SeriesTable
  readonly #slots: Slots

  constructor(metrics: Metrics) {
    this.#duration = metrics.table(families.dnsDuration)
    this.#slots = new Slots(this.#duration, dnsErrors.values, code => [code])
  }

  /** Observes a lookup. `code` is the code of its error; empty for a result. */
  ended(ms: number, code: string): void {
    this.#duration.observe(this.#slots.at(dnsErrors.indexOf(code)), ms / 1000)
  }
}
