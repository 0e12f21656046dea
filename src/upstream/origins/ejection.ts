import type { EjectionOptions } from '../spec/origin-options.ts'

/** The limits of an upstream that ejects no origin. */
export const noEjection: Required<EjectionOptions> = {
  consecutiveFailures: Infinity,
  latencyRatio: Infinity,
  duration: 0,
  maxDuration: 0,
  maxRatio: 0,
}

/**
 * The ejections of one origin. An ejection soon after the last one is twice as long. Each `duration` between the two
 * halves its length again, down to `duration`.
 */
export class Ejection {
  /** The number of consecutive failed attempts. */
  failures = 0
  /** The number of ejections so far. */
  count = 0
  /** The start of the last ejection, in ms. An attempt that started earlier is not evidence for another one. */
  startedAt = -Infinity
  /** The end of the present ejection, in ms; `undefined` if the origin is not ejected. */
  until: number | undefined
  #length = 0
  #endedAt = 0

  start(at: number, { duration, maxDuration }: Required<EjectionOptions>): void {
    const halvings = Math.floor((at - this.#endedAt) / duration)
    this.#length = Math.min(maxDuration, Math.max(duration, this.#length * 2 ** (1 - halvings)))
    this.count++
    this.startedAt = at
    this.until = at + this.#length
  }

  /** Ends the ejection. Until an attempt has succeeded, one failure starts the next one. */
  end(at: number, { consecutiveFailures }: Required<EjectionOptions>): void {
    this.until = undefined
    this.failures = consecutiveFailures - 1
    this.#endedAt = at
  }
}

interface Ejectable {
  readonly ejection: Ejection
}

/** Returns the ejected members, in the order of their returns. */
export function ejectedOf<M extends Ejectable>(members: readonly M[]): M[] {
  return members.filter(isEjected).sort((one, other) => returnOf(one) - returnOf(other))
}

/** Returns the number of members that may be ejected at once. */
export function maxEjected(members: readonly Ejectable[], { maxRatio }: Required<EjectionOptions>): number {
  return Math.floor(maxRatio * members.length)
}

/** Returns the time at which a member returns, in ms; infinite if it is not ejected. */
export function returnOf({ ejection }: Ejectable): number {
  return ejection.until ?? Infinity
}

function isEjected({ ejection }: Ejectable): boolean {
  return ejection.until !== undefined
}
