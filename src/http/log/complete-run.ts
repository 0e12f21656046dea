import type { LoggedOutcomes } from './losses.ts'
import type { RequestOutcome } from './request-outcome.ts'
import { completeFields, type LoggedAggregate, type RunFields } from './run-fields.ts'

/** The fractional part of the golden ratio. */
const step = (Math.sqrt(5) - 1) / 2

/**
 * Selects a share of the complete runs for the log. The sequence of the multiples of an irrational number modulo 1 is
 * equidistributed (Weyl), also each of its periodic parts. So the share is right for each aggregate too, if callers
 * ask for several aggregates in turn. A counter would select one of two aggregates that take turns.
 */
export class CompleteRunSampler {
  readonly #share: number
  #at = 0

  /** @param percent - The share of the runs that are selected, from 0 to 100. */
  constructor(percent: number) {
    this.#share = percent / 100
  }

  /** Counts a run, and returns whether its line is written at `info`. */
  shouldLog(): boolean {
    const at = this.#at
    this.#at = (at + step) % 1
    return at < this.#share
  }
}

/** The outcome of a run with a complete reply. Its fields are computed when its line is written. */
export class CompleteRun implements RequestOutcome {
  readonly level = 'info'
  readonly msg: string
  readonly isSampledOut: boolean
  readonly refusal = undefined
  readonly #aggregate: LoggedAggregate
  readonly #outcomes: LoggedOutcomes

  constructor(aggregate: LoggedAggregate, outcomes: LoggedOutcomes, isSampledOut: boolean, msg: string) {
    this.#aggregate = aggregate
    this.#outcomes = outcomes
    this.isSampledOut = isSampledOut
    this.msg = msg
  }

  get fields(): RunFields {
    return completeFields(this.#aggregate, this.#outcomes)
  }
}
