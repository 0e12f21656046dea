import { deepFreeze } from '../core/freeze.ts'
import type { Answer, Completion } from '../upstream/call/layer.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import type { CallCompletion } from './gather.ts'
import type { RunHandle } from './run-handle.ts'

/** Who asked: counts its unsafe calls under way. */
interface Caller {
  unsafe: number
}

/** One call of a step under way. */
export class PendingCall implements Completion<unknown> {
  readonly #run: Caller
  readonly #host: RunHandle
  readonly #spec: OperationSpec
  readonly #isFrozen: boolean
  readonly #position: number
  readonly #taker: CallCompletion

  constructor(
    run: Caller,
    host: RunHandle,
    spec: OperationSpec,
    isFrozen: boolean,
    position: number,
    taker: CallCompletion,
  ) {
    this.#run = run
    this.#host = host
    this.#spec = spec
    this.#isFrozen = isFrozen
    this.#position = position
    this.#taker = taker
  }

  resolve(answer: Answer<unknown>): void {
    const { value, cached } = answer
    try {
      if (this.#isFrozen) freezeAnswer(value, this.#spec)
    } catch (error) {
      return this.reject(error)
    }
    this.#taker.resolve(this.#position, value, cached, value === null && isAbsence(this.#spec, answer))
    if (!this.#spec.safe) this.#over()
  }

  reject(error: unknown): void {
    // Stopped because the run has failed, which is no failure of this step: it is reported as cancelled.
    if (!this.#host.failed || error !== this.#host.abort.reason) this.#taker.reject(this.#position, error)
    if (!this.#spec.safe) this.#over()
  }

  #over(): void {
    this.#run.unsafe--
    this.#host.unsafeCallEnded()
  }
}

/** Tells a `null` by a status of `absent` from an upstream's own `null` and from an empty body. */
function isAbsence({ nullOn }: OperationSpec, { status, keptStatus = status }: Answer<unknown>): boolean {
  return nullOn.includes(keptStatus)
}

/** Freezes a value, unless `coalesce` has; a layer of an author's own may have put another in its place. */
function freezeAnswer(value: unknown, { coalesce }: OperationSpec): void {
  if (!coalesce || !Object.isFrozen(value)) deepFreeze(value)
}
