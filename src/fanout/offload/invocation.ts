import { AsyncLocalStorage } from 'node:async_hooks'
import type { Abort } from '../../core/abort.ts'
import type { Runtime } from '../../upstream/runtime.ts'

/** One invocation of an aggregate's function by a run. Functions that it offloads are stopped with this run. */
export interface Invocation {
  readonly runtime: Runtime
  /** Stops the step, or the run. */
  readonly abort: Abort
  /** For messages: `aggregate 'cat-facts', step 'ninja'`. */
  readonly owner: string
  /**
   * True if an offloaded function may start after the abort, as in the merge of a run that has reached its deadline.
   */
  readonly startsAfterAbort: boolean
}

/** The invocation that the current code belongs to, also after an `await`. */
export const currentInvocation = new AsyncLocalStorage<Invocation>()

/** True if anything was offloaded in this process. Until then invocations are not recorded. */
export const offloading = { isUsed: false }
