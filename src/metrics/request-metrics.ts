import * as families from './families.ts'
import { refusalCodes, methods, statuses, statusIndexOf } from './label-values.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

export type Scheme = 'http' | 'https'

/** Counts the inbound requests of one service. */
export class RequestMetrics {
  readonly #metrics: Metrics
  readonly #active: SeriesTable
  readonly #activeOf: Readonly<Record<Scheme, Slots>>
  readonly #refused: SeriesTable
  readonly #refusals: Slots

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.#active = metrics.table(families.activeRequests)
    const active = (scheme: Scheme) => new Slots(this.#active, methods.values, method => [method, scheme])
    this.#activeOf = { http: active('http'), https: active('https') }
    this.#refused = metrics.table(families.requestsRefused)
    this.#refusals = new Slots(this.#refused, refusalCodes.values, code => [code])
  }

  /** Counts a request that starts. */
  started(method: number, scheme: Scheme): void {
    this.#active.add(this.#activeOf[scheme].at(method), 1)
  }

  /** Counts the end of a request that `started` has counted. */
  left(method: number, scheme: Scheme): void {
    this.#active.add(this.#activeOf[scheme].at(method), -1)
  }

  /** Counts a request that was refused before a run. */
  refused(code: string): void {
    this.#refused.add(this.#refusals.at(refusalCodes.indexOf(code)), 1)
  }

  /**
   * Returns the metrics of a route.
   *
   * @param template The template of a registered route; empty if no route matched.
   * @param aggregate The name of the aggregate of the route; empty for another route.
   */
  route(template: string, aggregate: string): RouteMetrics {
    return new RouteMetrics(this.#metrics.table(families.serverDuration), template, aggregate)
  }
}

/** Observes the requests of one route. */
export class RouteMetrics {
  readonly #duration: SeriesTable
  /** The slots of each method with each scheme, created at the first request. */
  readonly #slots: (Slots | undefined)[] = []
  readonly #slotsOf: (method: number, scheme: Scheme) => Slots

  constructor(duration: SeriesTable, template: string, aggregate: string) {
    this.#duration = duration
    this.#slotsOf = (method, scheme) =>
      new Slots(duration, statuses, status => [
        methods.values[method] as string,
        scheme,
        template,
        status,
        errorTypeOf(status),
        aggregate,
      ])
  }

  /** Observes a request that has ended. `status` is undefined if the connection closed before the reply began. */
  ended(method: number, scheme: Scheme, status: number | undefined, ms: number, traceId: string | undefined): void {
    const index = scheme === 'http' ? method : methods.values.length + method
    const slots = (this.#slots[index] ??= this.#slotsOf(method, scheme))
    this.#duration.observe(slots.at(statusIndexOf(status)), ms / 1000, traceId)
  }
}

/** Returns the `error_type` of a reply: its status if the service has failed. */
function errorTypeOf(status: string): string {
  return status.startsWith('5') ? status : ''
}
