import { AsyncLocalStorage } from 'node:async_hooks'
import type { Abort } from '../../core/abort.ts'
import type { Runtime } from '../../upstream/runtime.ts'

/** Whose function is at work: what it offloads is done for this run, and ends with it. */
export interface Running {
  readonly runtime: Runtime
  /** Stops the step, or the run. */
  readonly abort: Abort
  /** For messages: `aggregate 'cat-facts', step 'ninja'`. */
  readonly owner: string
  /** Whether it may begin although the abort has come, as the merge of a run at its deadline may. */
  readonly isLast: boolean
}

/** What is at work here, also after an `await`. */
export const running = new AsyncLocalStorage<Running>()

/** Whether anything was ever offloaded: until then nobody asks what is at work, and nothing is noted. */
export const offloading = { isUsed: false }
