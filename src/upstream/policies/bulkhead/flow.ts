import { LinkedQueue, type QueueNode } from '../../../core/linked-queue.ts'
import { HoldingTime } from './holding-time.ts'

/** A call that waits for a permit. */
export interface QueuedCall extends QueueNode<QueuedCall> {
  readonly admission: QueuedRun
  /** Called when the call has left the queue with a permit. */
  grant(): void
  /** Takes the call out of the queue and rejects it. */
  onAbort(reason: unknown): void
}

/** The weights of all flows with live runs, added up. */
export interface BusyFlows {
  weight: number
}

/** A run at a bulkhead: its calls that wait, and its place in the ring of its flow. */
export class QueuedRun implements QueueNode<QueuedRun> {
  queue: LinkedQueue<QueuedRun> | undefined = undefined
  previousInQueue: QueuedRun | undefined = undefined
  nextInQueue: QueuedRun | undefined = undefined
  /** The calls that wait. A run that always finds a free permit has no such list. */
  calls: LinkedQueue<QueuedCall> | undefined = undefined
  /** True if one of its calls holds, or has held, a permit. */
  hasEntered = false
  readonly flow: Flow

  constructor(flow: Flow) {
    this.flow = flow
  }

  /** Records that one of its calls has received a permit. */
  enter(): void {
    this.hasEntered = true
    this.flow.active++
  }
}

/** The state of one flow at one bulkhead: the calls of one aggregate to one upstream. */
export class Flow implements QueueNode<Flow> {
  queue: LinkedQueue<Flow> | undefined = undefined
  previousInQueue: Flow | undefined = undefined
  nextInQueue: Flow | undefined = undefined
  readonly weight: number
  /** The permits in use. */
  active = 0
  /** The calls that wait. */
  queued = 0
  /** The runs with calls that wait. The first one receives the next permit of the flow. */
  readonly ring = new LinkedQueue<QueuedRun>()
  /** The time from which calls have waited without a pause, in ms. It has no meaning while no call waits. */
  waitingSince = 0
  /** The largest demand, in calls, in the first interval from `waitingSince` on. */
  burst = 0
  /** The calls of the runs that the upstream could not serve since `waitingSince`. */
  refused = 0
  /** The permits that were granted from the queue, divided by the weight. The scheduler sets it. */
  served = 0
  /** The calls that live runs have reserved and that have not ended. */
  reserved = 0
  /** The runs with reserved calls. */
  liveRuns = 0
  /** The time for which a call of this flow holds its permit. */
  readonly hold = new HoldingTime()
  /** The number of calls that have received a permit. */
  entered = 0
  readonly #busy: BusyFlows

  constructor(weight: number, busy: BusyFlows) {
    this.weight = weight
    this.#busy = busy
  }

  get holdMs(): number {
    return this.hold.ms
  }

  /** Records that a run has reserved calls. */
  runStarted(): void {
    if (this.liveRuns++ === 0) this.#busy.weight += this.weight
  }

  /** Records that a run has no reserved calls left. */
  runEnded(): void {
    if (--this.liveRuns === 0) this.#busy.weight -= this.weight
  }

  /** The weights of all flows with live runs and of this one, added up. */
  get totalWeight(): number {
    return this.liveRuns === 0 ? this.#busy.weight + this.weight : this.#busy.weight
  }

  /** The newest run of which all calls wait, and none has received a permit. */
  get newestWithoutPermit(): QueuedRun | undefined {
    let newest: QueuedRun | undefined
    // Such runs have not had a turn, so they are in the order of their arrival.
    for (let run = this.ring.first; run !== undefined; run = run.nextInQueue) if (!run.hasEntered) newest = run
    return newest
  }
}
