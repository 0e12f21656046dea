import { deepFreeze } from '../core/freeze.ts'
import type { Answer, Completion } from '../upstream/call/layer.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import type { CallCompletion } from './call-group.ts'
import type { RunHandle } from './run-handle.ts'

/** The step that made a call; it counts its unsafe calls in flight. */
interface Caller {
  unsafeCallEnded(): void
}

/** One call of a step in flight. */
export class PendingCall implements Completion<unknown> {
  readonly #caller: Caller
  readonly #run: RunHandle
  readonly #spec: OperationSpec
  readonly #isFrozen: boolean
  readonly #index: number
  readonly #completion: CallCompletion

  constructor(
    caller: Caller,
    run: RunHandle,
    spec: OperationSpec,
    isFrozen: boolean,
    index: number,
    completion: CallCompletion,
  ) {
    this.#caller = caller
    this.#run = run
    this.#spec = spec
    this.#isFrozen = isFrozen
    this.#index = index
    this.#completion = completion
  }

  resolve(answer: Answer<unknown>): void {
    const { value, cached } = answer
    try {
      if (this.#isFrozen) freezeAnswer(value, this.#spec)
    } catch (error) {
      return this.reject(error)
    }
    this.#completion.resolve(this.#index, value, cached, value === null && isAbsence(this.#spec, answer))
    if (!this.#spec.safe) this.#caller.unsafeCallEnded()
  }

  reject(error: unknown): void {
    // Ignore a call that the failed run has aborted: its step is reported as cancelled, not as failed.
    if (!this.#run.hasFailed || error !== this.#run.abort.reason) this.#completion.reject(this.#index, error)
    if (!this.#spec.safe) this.#caller.unsafeCallEnded()
  }
}

/**
 * Returns true for a `null` that a status of `nullOn` caused, and false for an upstream's own `null` and an empty body.
 */
function isAbsence({ nullOn }: OperationSpec, { status, keptStatus = status }: Answer<unknown>): boolean {
  return nullOn.includes(keptStatus)
}

/** Freezes a value unless `coalesce` has frozen it. Even with `coalesce` a custom layer may have replaced the value. */
function freezeAnswer(value: unknown, { coalesce }: OperationSpec): void {
  if (!coalesce || !Object.isFrozen(value)) deepFreeze(value)
}
