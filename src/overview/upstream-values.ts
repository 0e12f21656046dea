import { breakerStates, upstreamCountNames, upstreamGaugeNames, type UpstreamCounts } from './process-sample.ts'

type CountName = (typeof upstreamCountNames)[number]
type GaugeName = (typeof upstreamGaugeNames)[number]
type BreakerState = (typeof breakerStates)[number]

const noCounts: readonly number[] = upstreamCountNames.map(() => 0)

/** The counts of the last sample of an upstream, and its present values, by name. */
export class UpstreamValues {
  #gauges: readonly number[] = upstreamGaugeNames.map(() => 0)
  #counts = noCounts

  /** Takes the present values of another one. */
  take(other: UpstreamValues): void {
    this.#gauges = other.#gauges
  }

  /**
   * Takes a sample.
   *
   * @param row - The counts and present values; `undefined` if nothing was counted and no present value has changed.
   */
  apply(row: UpstreamCounts | undefined): void {
    this.#counts = row?.counts ?? noCounts
    this.#gauges = row?.gauges ?? this.#gauges
  }

  /**
   * Changes the state of the breaker.
   *
   * @param isJoined - True if the state is the worst one of several processes. Only the next sample can make it better.
   */
  breakerChanged(to: BreakerState, isJoined: boolean): void {
    const index = breakerStates.indexOf(to)
    if (!isJoined || index > this.gauge('breaker'))
      this.#gauges = this.#gauges.with(upstreamGaugeNames.indexOf('breaker'), index)
  }

  count(name: CountName): number {
    return this.#counts[upstreamCountNames.indexOf(name)] as number
  }

  gauge(name: GaugeName): number {
    return this.#gauges[upstreamGaugeNames.indexOf(name)] as number
  }

  /** The limit on permits; `null` if it is not known. */
  get permitLimit(): number | null {
    return this.gauge('permitLimit') || null
  }

  get breaker(): BreakerState {
    return breakerStates[this.gauge('breaker')] ?? 'none'
  }

  countsByName(): Partial<Record<CountName, number>> {
    return Object.fromEntries(upstreamCountNames.map((name, at) => [name, this.#counts[at]]))
  }

  gaugesByName(): Partial<Record<GaugeName, number>> {
    return Object.fromEntries(upstreamGaugeNames.map((name, at) => [name, this.#gauges[at]]))
  }
}
