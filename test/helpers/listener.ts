import { Abortable } from '../../src/core/abort.ts'

/** Listens to an abort with a plain function. */
export class Listener extends Abortable {
  readonly #tell: (reason: unknown) => void

  constructor(tell: (reason: unknown) => void) {
    super()
    this.#tell = tell
  }

  override onAbort(reason: unknown): void {
    this.#tell(reason)
  }
}
