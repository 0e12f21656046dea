import type { ErrorCode, UpstreamError } from '../errors.ts'
import type { Abort } from '../core/abort.ts'
import type { Scope } from '../upstream/call/call.ts'
import type { Send } from '../upstream/call/layer.ts'
import type { Tally } from './events.ts'
import type { State } from './outcome-recorder.ts'
import type { Reads } from './reads.ts'
import type { StepRun } from './step-run.ts'
import type { Step } from './step.ts'

/** Where in an aggregate a function of the author's stands. */
export type AuthorPlace = Step | 'merge' | 'after'

/** What a step knows of the run it belongs to. */
export interface RunHandle extends Scope {
  /** Records on which headers the reply depends; none where it is not kept. */
  readonly reads: Reads | undefined
  /** Sends a call through the layers of its upstream. */
  readonly send: Send
  /** Whether optional steps are left out. */
  readonly shedOptional: boolean
  /** Why nothing is waited for any more; none before the deadline. */
  readonly expired: UpstreamError | undefined
  /** Whether the run has failed. */
  readonly failed: boolean
  /** Takes the value of a step that has ended. */
  stepEnded(run: StepRun, value: unknown, state: State, code?: ErrorCode, tally?: Tally): void
  /** Takes the failure that ends the run. */
  stepFailed(error: unknown, run: StepRun, tally?: Tally): void
  /**
   * Calls a function of the author's, for a step or at the end of the run, so that what it offloads is known to be this
   * run's.
   */
  invoke(author: (seen: never) => unknown, seen: object, abort: Abort, place: AuthorPlace): unknown
  /** Hears that an unsafe call is over. */
  unsafeCallEnded(): void
}
