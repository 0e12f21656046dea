import { Abort } from '../core/abort.ts'
import { LiveCall } from '../upstream/call/live-call.ts'
import type { Call } from '../upstream/call/call.ts'
import { closeUnsent } from '../upstream/call/write-body/stream-body.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { overLimit } from './ask.ts'
import { AskedCalls, type AnswerCompletion } from './asked-calls.ts'
import { callsPerRequest } from './batched-calls.ts'
import type { CallCompletion, CallGroup, SendCall, SendItem } from './call-group.ts'
import { countByUpstream } from './call-list.ts'
import { isChain, type Item } from './chain.ts'
import { chainSender } from './chain-sender.ts'
import type { CallCounts } from './events.ts'
import { PendingCall } from './pending-call.ts'
import { StepPhases } from './step-phases.ts'

/**
 * Sends the calls of one step of one run: the call that its function returns, the calls that it passes to `ask`, and
 * the items of the list that it returns after them.
 */
export abstract class StepSender extends StepPhases {
  #callCount = 1
  /** The number of calls to each upstream, if the calls of the step are to several upstreams. */
  #countByUpstream: ReadonlyMap<UpstreamSpec, number> | undefined

  /** Sends a call that the function has passed to `ask`, unless the step has reached its limit. */
  protected sendAsked(call: Call<unknown>, completion: AnswerCompletion): void {
    const asked = this.asked ?? this.startAsking()
    const error = overLimit(this.step, asked, this.hasUpstreamInput)
    if (error === undefined) return asked.send(call, completion)
    closeUnsent(call)
    completion.reject(error)
  }

  protected startAsking(): AskedCalls {
    const { step } = this
    const abort = step.index < 0 ? this.abort : new Abort()
    if (abort !== this.abort) this.abort.add(abort)
    if (this.abort.aborted) abort.abort(this.abort.reason)
    const send: SendCall = (call, index, completion) => this.#dispatch(call, index, completion, abort, false)
    const asked = new AskedCalls(send, step.concurrency, abort)
    this.group = asked
    return asked
  }

  /** Counts the items of a list, and returns the function that sends them. */
  protected senderOfList(items: readonly Item[]): SendItem {
    this.#callCount = items.length
    this.#countByUpstream = countByUpstream(items)
    const { asked } = this
    if (asked === undefined) return this.#senderOf(items, 0)
    return asked.sendOfList(this.#senderOf(items, asked.count), callsPerRequest(items))
  }

  /** Returns the function that sends the calls of `pages`. */
  protected senderOfPages(): SendCall {
    const send = this.send as SendItem
    return this.asked === undefined ? send : this.asked.sendOfList(send)
  }

  /** Sets the list whose calls are in flight. */
  protected setList(list: CallGroup): void {
    if (this.asked === undefined) this.group = list
    else this.asked.list = list
  }

  /** Returns the counts of a list, together with those of the asked calls. */
  protected tallyOf(list: CallCounts): CallCounts {
    return this.asked === undefined ? list : this.asked.tally(list)
  }

  /** Returns the function that sends the items of a list. A list without chains has only calls. */
  #senderOf(items: readonly Item[], first: number): SendItem {
    if (!items.some(isChain)) return this.send as SendItem
    const { step, run, abort, send } = this
    return chainSender({ step, run, abort, next: first + items.length, send })
  }

  protected readonly send = (
    call: Call<unknown>,
    index: number,
    completion: CallCompletion,
    isFrozen = this.step.isFrozen,
    siblings?: number,
  ): void => {
    // A call of the list may wait for the end of an asked call, which the end of the step aborts.
    if (!this.hasEnded) this.#dispatch(call, index, completion, this.abort, isFrozen, siblings)
  }

  #dispatch(
    call: Call<unknown>,
    index: number,
    completion: CallCompletion,
    abort: Abort,
    isFrozen: boolean,
    siblings = this.#siblingsOf(call.spec.upstream),
  ): void {
    const { step, run } = this
    run.reads?.addForwarded(call.spec.upstream)
    const pending = new PendingCall(this, run, call.spec, isFrozen, index, completion)
    if (!call.spec.safe) this.unsafeCallStarted()
    if (abort.aborted) {
      closeUnsent(call)
      pending.reject(abort.reason)
    } else {
      run.timeline?.callSent(step.index, index, call, run.now())
      run.send(new LiveCall(call, abort, run, step.index, index, siblings), pending)
    }
  }

  /** Returns the number of calls of the step to an upstream. */
  #siblingsOf(upstream: UpstreamSpec): number | undefined {
    return this.#countByUpstream === undefined ? this.#callCount : this.#countByUpstream.get(upstream)
  }
}
