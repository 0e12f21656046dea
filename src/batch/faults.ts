import type { Fault } from '../errors.ts'

/** The largest number of faults that are reported. A longer list is not useful. */
const mostFaults = 100

/**
 * The number of characters after which no more faults are reported. A pointer has the names of fields, which the caller
 * chooses: 100 faults below one long name would be 100 times as large as the body.
 */
export const mostCharacters = 64 * 1024

/** The faults of a batch so far. */
export class Faults {
  readonly #list: Fault[] = []
  #characters = 0

  /** Adds faults in their order, as far as they are reported. */
  add(...faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (this.isFull) return
      this.#list.push(fault)
      this.#characters += fault.pointer.length + fault.reason.length
    }
  }

  /** The number of faults. After the list is full, faults are not counted. */
  get count(): number {
    return this.#list.length
  }

  /** True if no further fault is reported, so that the rest of the batch need not be read. */
  get isFull(): boolean {
    return this.#list.length > mostFaults || this.#characters > mostCharacters
  }

  /** The faults that are reported. */
  get reported(): readonly Fault[] {
    return this.#list.slice(0, mostFaults)
  }
}
