/** The time over which the rate is a mean, in ms. */
const meanMs = 30_000

/** The time that a step may be late before it lowers the rate, in ms: the service looks once a second. */
const lateMs = 2000

interface Step {
  readonly at: number
  readonly done: number
}

/**
 * The rate of a progress that grows in steps, such as chunks of 100 items. It is measured from step to step, so that it
 * does not depend on the time since the last step.
 */
export class ProgressRate {
  #done: number | undefined
  #steps: Step[] = []

  /** Adds the progress at a moment in ms. Only a change counts, and the first value is not one. */
  add(at: number, done: number): void {
    const before = this.#done
    this.#done = done
    if (before === undefined || before === done) return
    if (done < before) this.#steps = []
    this.#steps.push({ at, done })
    const oldest = at - meanMs
    while (this.#steps.length > 2 && (this.#steps[1] as Step).at <= oldest) this.#steps.shift()
  }

  /** Forgets the steps: the progress has stopped. */
  clear(): void {
    this.#done = undefined
    this.#steps = []
  }

  /** Returns the progress per second; NaN before there were two steps. A step that is late lowers it. */
  perSecond(now: number): number {
    const first = this.#steps[0]
    const last = this.#steps.at(-1)
    if (first === undefined || last === undefined || first === last) return NaN
    const usual = (last.at - first.at) / (this.#steps.length - 1)
    const end = now - last.at > 2 * usual + lateMs ? now : last.at
    return (1000 * (last.done - first.done)) / (end - first.at)
  }
}
