import { Abortable } from '../../../core/abort.ts'
import type { Effort } from '../../call/attempt.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { Answer, Completion } from '../../call/layer.ts'

/** The request of a batch, as its calls use it. */
export interface SharedRequest {
  readonly effort: Effort
  /** Called when a call has left before its answer. */
  left(reason: unknown): void
}

/** A call that waits for a batch, or for the answer to one. It ends once. */
export class KeyMember extends Abortable {
  readonly call: LiveCall<unknown>
  readonly #completion: Completion<unknown>
  /** The request that has the key of the call; `undefined` until the end of the turn. */
  request: SharedRequest | undefined

  constructor(call: LiveCall<unknown>, completion: Completion<unknown>) {
    super()
    this.call = call
    this.#completion = completion
    call.abort.add(this)
  }

  /** False after the end of the call. */
  get isWaiting(): boolean {
    return this.listensTo !== undefined
  }

  resolve(answer: Answer<unknown>): void {
    this.#end()
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    this.#end()
    this.#completion.reject(error)
  }

  onAbort(reason: unknown): void {
    this.#end()
    this.request?.left(reason)
    this.#completion.reject(reason)
  }

  #end(): void {
    const { call, request } = this
    call.abort.delete(this)
    if (request === undefined || request.effort === call.effort) return
    // The attempts of the request are those of its first call.
    call.effort.sent = request.effort.sent
    call.scope.spans?.answerShared(call, request.effort.span)
  }
}
