import type { Abort } from '../core/abort.ts'
import type { Call } from '../upstream/call/call.ts'
import { isChain } from './chain.ts'
import { ChainRun } from './chain-run.ts'
import type { CallCompletion, SendItem } from './call-group.ts'
import type { RunHandle } from './run-handle.ts'
import type { Step } from './step.ts'

export interface ChainSenderOptions {
  readonly step: Step
  readonly run: RunHandle
  /** The abort of the step. */
  readonly abort: Abort
  /** The number of the next call. Calls that follow the first call of an item have numbers from this one on. */
  readonly next: number
  /**
   * Sends a call. Its answer is not frozen if `isFrozen` is false. `siblings` is the number of calls to its upstream
   * that are sent with it; by default the number in the list of the step.
   */
  readonly send: (
    call: Call<unknown>,
    number: number,
    completion: CallCompletion,
    isFrozen?: boolean,
    siblings?: number,
  ) => void
}

/** Returns a function that sends the items of a list with chains: calls, and the calls of chains. */
export function chainSender({ step, run, abort, next, send }: ChainSenderOptions): SendItem {
  let number = next
  const options = {
    step,
    run,
    abort,
    sendNext: (call: Call<unknown>, completion: CallCompletion) => send(call, number++, completion, false, 1),
  }
  return (item, index, completion) => {
    if (!isChain(item)) send(item, index, completion)
    else send(item.first, index, new ChainRun(item, index, completion, options), false)
  }
}
