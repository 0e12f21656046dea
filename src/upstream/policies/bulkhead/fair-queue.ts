import { LinkedQueue } from '../../../core/linked-queue.ts'
import type { Flow, QueuedCall, QueuedRun } from './flow.ts'

/**
 * A queue that is fair to flows, and within a flow to runs. It does not depend on the number of calls of a run.
 *
 * - Between flows: weighted max-min fairness. The next permit goes to the flow with the fewest permits in use for its
 *   weight. Half a permit is added to the number, as in Webster's method of rounding. So the permits in use of flows
 *   with demand differ from their exact shares by at most one.
 * - A flow whose exact share is less than one permit would then never get one. So a flow without a permit is next if it
 *   has also been served least for its weight. The service is counted as in start-time fair queueing (Goyal, Vin and
 *   Cheng, 1996): a flow that begins to wait starts with the service of the flow that has been served least.
 * - A flow that has just begun to wait has twice its weight for one holding time. So the few calls of a run that is
 *   within the share of its flow on average get permits together, although the flow has no share in reserve.
 * - Within a flow: round-robin (Nagle, RFC 970). A run whose call gets a permit goes to the end of the ring.
 *
 * ```
 *   flow a (weight 2, 3 permits in use): a1: x x x | a2: x | a3: x x
 *   flow b (weight 2, 1 permit in use):  b1: x x             <- b1 is next: 1.5 / 2 is less than 3.5 / 2
 * ```
 */
export class FairQueue {
  /** The number of calls. */
  size = 0
  /** The flows with calls that wait, in the order in which they began to wait. */
  readonly #flows = new LinkedQueue<Flow>()
  /** The service of the flow that has been served least. */
  #leastServed = 0
  readonly #now: () => number
  readonly #waitStarted: (now: number) => void

  /** @param waitStarted Called when the first call of a flow begins to wait. */
  constructor(now: () => number, waitStarted: (now: number) => void = () => {}) {
    this.#now = now
    this.#waitStarted = waitStarted
  }

  push(call: QueuedCall): void {
    const { admission: run } = call
    const { flow } = run
    this.size++
    if (flow.queued++ === 0) {
      flow.waitingSince = this.#now()
      this.#waitStarted(flow.waitingSince)
      flow.burst = flow.refused = 0
      flow.served = Math.max(flow.served, this.#leastServed)
      this.#flows.add(flow)
    }
    run.calls ??= new LinkedQueue()
    run.calls.add(call)
    if (run.calls.size === 1) flow.ring.add(run)
  }

  /** Removes a call from any position. Returns true if its run has no permit, and no other call that waits. */
  remove(call: QueuedCall): boolean {
    const { admission: run } = call
    const { flow } = run
    const calls = run.calls as LinkedQueue<QueuedCall>
    this.size--
    calls.remove(call)
    if (--flow.queued === 0) this.#flows.remove(flow)
    if (calls.size > 0) return false
    flow.ring.remove(run)
    return !run.hasEntered
  }

  /** Removes and returns the call that receives the next permit. */
  next(): QueuedCall | undefined {
    const flow = this.#nextFlow()
    if (flow === undefined) return undefined
    const run = flow.ring.first as QueuedRun
    const call = firstOf(run)
    this.remove(call)
    if (run.queue !== undefined) {
      flow.ring.remove(run)
      flow.ring.add(run)
    }
    flow.served += 1 / flow.weight
    run.enter()
    return call
  }

  /** The call that waits first in the flow that has waited longest. */
  get first(): QueuedCall | undefined {
    const flow = this.#flows.first
    return flow === undefined ? undefined : firstOf(flow.ring.first as QueuedRun)
  }

  /**
   * Returns the run that a new run of a flow replaces when the queue is full: the newest run without a permit, of the
   * lowest weight and then of the longest queue. `undefined` if the new run may replace none. It may replace a run of a
   * lower weight. If its flow has less than its share of the queue, it may also replace a run of a flow that has more.
   */
  replaceable(flow: Flow, maxQueue: number): QueuedRun | undefined {
    const callsPerWeight = maxQueue / flow.totalWeight
    const isBelowShare = flow.queued < callsPerWeight * flow.weight
    let found: QueuedRun | undefined
    for (let other = this.#flows.first; other !== undefined; other = other.nextInQueue) {
      if (other.weight >= flow.weight && !(isBelowShare && other.queued > callsPerWeight * other.weight)) continue
      const run = isShedBefore(other, found?.flow) ? other.newestWithoutPermit : undefined
      if (run !== undefined) found = run
    }
    return found
  }

  #nextFlow(): Flow | undefined {
    const { first } = this.#flows
    if (first === undefined) return undefined
    let fewest = first
    let least = first
    if (first.nextInQueue !== undefined) {
      const now = this.#now()
      for (let flow: Flow | undefined = first.nextInQueue; flow !== undefined; flow = flow.nextInQueue) {
        if (hasFewer(flow, fewest, now)) fewest = flow
        if (flow.served < least.served) least = flow
      }
    }
    this.#leastServed = least.served
    return least.active === 0 ? least : fewest
  }
}

/** Returns the first call of a run in a ring. */
function firstOf({ calls }: QueuedRun): QueuedCall {
  return (calls as LinkedQueue<QueuedCall>).first as QueuedCall
}

/** Returns whether a flow has fewer permits in use for its weight, or as many and has been served less. */
function hasFewer(flow: Flow, than: Flow, now: number): boolean {
  const difference = (flow.active + 0.5) * weightAt(than, now) - (than.active + 0.5) * weightAt(flow, now)
  return difference === 0 ? flow.served < than.served : difference < 0
}

/** Returns the weight of a flow, which is double while the flow has waited for less than one holding time. */
function weightAt({ weight, waitingSince, holdMs }: Flow, now: number): number {
  return now - waitingSince < holdMs ? 2 * weight : weight
}

/** Returns whether a run of a flow is refused before a run of another flow. */
function isShedBefore(flow: Flow, other: Flow | undefined): boolean {
  return (
    other === undefined || flow.weight < other.weight || (flow.weight === other.weight && flow.queued > other.queued)
  )
}
