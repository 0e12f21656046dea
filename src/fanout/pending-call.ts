import { deepFreeze } from '../core/freeze.ts'
import type { Answer, Taker } from '../upstream/policies/layer.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import type { CallTaker } from './gather.ts'
import type { Host } from './run-handle.ts'

/** Who asked: counts its unsafe calls under way. */
interface Caller {
  unsafe: number
}

/** One call of a step under way. */
export class Asked implements Taker<unknown> {
  readonly #run: Caller
  readonly #host: Host
  readonly #spec: OperationSpec
  readonly #isFrozen: boolean
  readonly #position: number
  readonly #taker: CallTaker

  constructor (run: Caller, host: Host, spec: OperationSpec, isFrozen: boolean, position: number, taker: CallTaker) {
    this.#run = run
    this.#host = host
    this.#spec = spec
    this.#isFrozen = isFrozen
    this.#position = position
    this.#taker = taker
  }

  win (answer: Answer<unknown>): void {
    const { value, cached } = answer
    try {
      if (this.#isFrozen) freezeAnswer(value, this.#spec)
    } catch (error) {
      return this.lose(error)
    }
    this.#taker.win(this.#position, value, cached, value === null && isAbsence(this.#spec, answer))
    if (!this.#spec.safe) this.#over()
  }

  lose (error: unknown): void {
    // Stopped because the run has failed, which is no failure of this step: it is reported as cancelled.
    if (!this.#host.failed || error !== this.#host.abort.reason) this.#taker.lose(this.#position, error)
    if (!this.#spec.safe) this.#over()
  }

  #over (): void {
    this.#run.unsafe--
    this.#host.unsafeOver()
  }
}

/** Tells a `null` by a status of `absent` from an upstream's own `null` and from an empty body. */
function isAbsence ({ absent }: OperationSpec, { status, keptStatus = status }: Answer<unknown>): boolean {
  return absent.includes(keptStatus)
}

/** Freezes a value, unless `coalesce` has; a layer of an author's own may have put another in its place. */
function freezeAnswer (value: unknown, { coalesce }: OperationSpec): void {
  if (!coalesce || !Object.isFrozen(value)) deepFreeze(value)
}
