import type { Teardowns } from '../../../test/helpers/teardowns.ts'

/** Ends what was started, the last one first. */
export class TeardownList implements Teardowns {
  readonly #ends: (() => unknown)[] = []

  teardown(end: () => unknown): void {
    this.#ends.push(end)
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}
