import { Abort } from '../../../core/abort.ts'
import { deepFreeze } from '../../../core/freeze.ts'
import type { Effort } from '../../call/attempt.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { reportJoined } from '../../call/report.ts'
import type { Scope } from '../../call/scope.ts'
import type { Answer, Completion } from '../../call/layer.ts'
import type { KeyMember, SharedRequest } from './key-member.ts'
import { pickAnswer } from './pick-answer.ts'

/** The calls of each key of a request, at least one. The keys have the order of the request. */
export type Keys = readonly [readonly [KeyMember, ...KeyMember[]], ...(readonly KeyMember[])[]]

/** The request of one batch. It gives each call that waits for it the value of its key, or its failure. */
export class BatchRequest implements SharedRequest, Completion<unknown> {
  readonly #keys: Keys
  readonly #first: LiveCall<unknown>
  readonly #abort = new Abort()
  #waiting = 0

  constructor(keys: Keys) {
    this.#keys = keys
    this.#first = keys[0][0].call
    for (const member of keys.flat()) {
      member.request = this
      this.#waiting++
    }
  }

  get effort(): Effort {
    return this.#first.effort
  }

  /** Reports to each call but the first that it waits for the attempts of the first. */
  reportJoined(): void {
    for (const { call, isWaiting } of this.#keys.flat())
      if (isWaiting && call !== this.#first) reportJoined(call, 'keys')
  }

  /** Returns the call of the first key, for as long as any call waits. The attempts belong to the step of that call. */
  firstCall(): LiveCall<unknown> {
    return this.#first.withAbort(this.#abort, this.#scope(), 1)
  }

  /** Returns the scope of the request. It has no deadline: each call has its own and leaves the request at it. */
  #scope(): Scope {
    const { scope } = this.#first
    let patience = 0
    for (const { call } of this.#keys.flat()) {
      const own = call.scope
      patience = Math.max(patience, scope.now() + (own.patience ?? own.deadline) - own.now())
    }
    return {
      deadline: Infinity,
      patience,
      headers: scope.headers,
      abort: scope.abort,
      flow: scope.flow,
      admitted: scope.admitted,
      spans: scope.spans,
      trace: scope.trace,
      isWatched: scope.isWatched !== false,
      now: () => scope.now(),
      emit: event => scope.emit(event),
    }
  }

  resolve(answer: Answer<unknown>): void {
    try {
      // One value of the answer may be the value of several keys.
      deepFreeze(answer.value)
    } catch (error) {
      // A getter of an object that a transform has created.
      return this.reject(error)
    }
    for (const [index, equal] of this.#keys.entries()) settle(equal, answer, index)
  }

  reject(error: unknown): void {
    for (const member of this.#keys.flat()) if (member.isWaiting) member.reject(error)
  }

  left(reason: unknown): void {
    if (--this.#waiting === 0) this.#abort.abort(reason)
  }
}

/** Settles the calls of one key. A call may have left, also while the calls before it were settled. */
function settle(equal: readonly KeyMember[], answer: Answer<unknown>, index: number): void {
  const waiting = equal.find(({ isWaiting }) => isWaiting)
  if (waiting === undefined) return
  let picked: Answer<unknown>
  try {
    picked = pickAnswer(waiting.call, answer, index)
  } catch (error) {
    for (const member of equal) if (member.isWaiting) member.reject(error)
    return
  }
  for (const member of equal) if (member.isWaiting) member.resolve(picked)
}
