import { UpstreamError } from '../../../errors.ts'
import type { CallFlow } from '../../call/flow.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { Admission } from './admission.ts'
import type { FairQueue } from './fair-queue.ts'
import { Flow, type BusyFlows, type QueuedCall } from './flow.ts'
import {
  estimateService,
  estimateWait,
  estimateWaitUnderOverload,
  exceedsTarget,
  isOverloaded,
} from './queueing-delay.ts'
import type { Semaphore } from './semaphore.ts'

export interface AdmissionOptions {
  readonly upstream: string
  readonly semaphore: Semaphore
  readonly queue: FairQueue
  readonly maxQueue: number
  /** Returns the present time, in ms. */
  readonly now: () => number
  /** Returns whether the CPU, and not the number of permits, limits the calls. */
  readonly isLoopBusy: (now: number) => boolean
}

/**
 * Decides which runs may call the upstream. A run is admitted with its first call. Its later calls are always admitted,
 * because a refusal would waste the calls that were already sent for the run.
 */
export class AdmissionControl {
  readonly #options: AdmissionOptions
  readonly #flows = new WeakMap<CallFlow, Flow>()
  readonly #busy: BusyFlows = { weight: 0 }

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Returns the admission of the call's run; `undefined` if the run is refused. A free permit admits every run. */
  admit(call: LiveCall<unknown>): Admission | undefined {
    const { admitted, flow } = call.scope
    let admission = admitted.get(this) as Admission | undefined
    if (admission === undefined) {
      const state = this.#stateOf(flow)
      if (!this.#options.semaphore.isFree && !this.#mayWait(call, state)) return undefined
      admitted.set(this, (admission = new Admission(state)))
    }
    admission.reserve(call)
    return admission
  }

  /**
   * Removes the admission of a run. It is called when all calls of the run have left the queue before one received a
   * permit.
   */
  revoke(admission: Admission, { scope }: LiveCall<unknown>): void {
    admission.revoke()
    scope.admitted.delete(this)
  }

  #stateOf(flow: CallFlow): Flow {
    let state = this.#flows.get(flow)
    if (state === undefined) this.#flows.set(flow, (state = new Flow(flow.weight, this.#busy)))
    return state
  }

  /**
   * Returns whether a new run may wait for a permit. A run that is refused because it has too little time does not
   * show that the upstream has too much demand, so its calls do not count as refused.
   */
  #mayWait({ siblingCount: calls, scope }: LiveCall<unknown>, flow: Flow): boolean {
    const { semaphore, queue, maxQueue, now, isLoopBusy } = this.#options
    // A flow gets at least its share, and the permits that other flows do not use.
    const permits = Math.max(
      (semaphore.limit * flow.weight) / flow.totalWeight,
      semaphore.limit - semaphore.active + flow.active,
    )
    let wait = estimateWait(flow, calls, permits)
    const service = estimateService(flow, calls, permits)
    const at = now()
    // A busy loop spreads the requests of a constant number of callers, which then look like growing demand.
    const isBusy = isLoopBusy(at)
    if (isOverloaded(flow, calls, permits, at) && !isBusy) {
      if (exceedsTarget(wait, service)) return this.#refused(flow, calls)
      wait = estimateWaitUnderOverload(flow, calls, permits)
    }
    // The other half of the time is for the slowest call of the step.
    if (wait + service > ((scope.patience ?? scope.deadline) - scope.now()) / 2) return false
    return queue.size < maxQueue || this.#replaceFor(flow) || this.#refused(flow, calls)
  }

  #refused(flow: Flow, calls: number): false {
    flow.refused += calls
    return false
  }

  /** Refuses a queued run so that a run of a flow can take its place. Returns whether it has refused one. */
  #replaceFor(flow: Flow): boolean {
    const { queue, maxQueue, upstream } = this.#options
    const calls = queue.replaceable(flow, maxQueue)?.calls
    if (calls === undefined) return false
    for (let call: QueuedCall | undefined = calls.first; call !== undefined; call = calls.first)
      call.onAbort(new UpstreamError('BULKHEAD_FULL', upstream))
    // A listener of a refused call may have sent more calls.
    return queue.size < maxQueue
  }
}
