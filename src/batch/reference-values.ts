import type { CallRun } from './call-run.ts'
import { valueAt } from './json-pointer.ts'

/** Gives the values of calls to the references of later calls. All values of a batch together have a limit. */
export class ReferenceValues {
  /** The size of the values that references may still take, in characters. */
  #space: number

  /** @param maxSize - The limit on the size of all values together, in characters. */
  constructor(maxSize: number) {
    this.#space = maxSize
  }

  /**
   * Fills the references of a call to another call, or stores why they have no value.
   *
   * @param id The id of the other call.
   * @param value The answer or the data of the other call.
   */
  fill(run: CallRun, id: string, value: unknown): void {
    for (const reference of run.call.references) {
      if (reference.id !== id) continue
      if (this.#space < 0) return run.lose(reference, 'has no room: the references of a batch are too large')
      const found = valueAt(value ?? null, reference.tokens)
      if (found === undefined) return run.lose(reference, `points to nothing in the data of '${id}'`)
      this.#space -= found.size
      run.fill(reference, found.value)
    }
  }
}
