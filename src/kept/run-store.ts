import { LinkedQueue, type QueueNode } from '../core/linked-queue.ts'
import type { RunClass } from '../waterfall/kept-run.ts'
import { withoutCalls, type StoredRun } from './stored-run.ts'

/** The share of the room that each class may use when the room is full. */
const shares: Readonly<Record<RunClass, number>> = {
  failed: 0.4,
  partial: 0.25,
  slow: 0.2,
  cancelled: 0.05,
  complete: 0.1,
}

export const runClasses = Object.keys(shares) as readonly RunClass[]

/** The memory for each run, in bytes. Large runs take the room of several. */
const bytesPerRun = 8 * 1024

/** A place of a run in a queue. A run has one in the queue of its class, and one in that of its aggregate. */
class Place implements QueueNode<Place> {
  queue: LinkedQueue<Place> | undefined
  previousInQueue: Place | undefined
  nextInQueue: Place | undefined
  readonly run: StoredRun
  /** The place of the same run in the other queue. */
  other: Place | undefined

  constructor(run: StoredRun) {
    this.run = run
  }
}

/** The runs of one class, the oldest first. */
interface ClassRoom {
  readonly all: LinkedQueue<Place>
  readonly ofAggregate: Map<string, LinkedQueue<Place>>
  bytes: number
  /** The aggregate that had more than half of the runs when a run of it was added last; empty before the first run. */
  largest: string
}

/**
 * A bounded store of ended runs. Each class has a share of the room, and may borrow room that is free. When the room is
 * full, the class that exceeds its share most gives its oldest run. Within a class, an aggregate with more than half of
 * the runs gives first. So neither the complete runs nor one broken aggregate push out all others. A run that is larger
 * than half of the share of its class loses its calls first, so that it does not push out its class.
 */
export class RunStore {
  readonly #limit: number
  readonly #byId = new Map<string, Place>()
  readonly #rooms: Readonly<Record<RunClass, ClassRoom>>
  #bytes = 0

  /** @param limit The largest number of runs. */
  constructor(limit: number) {
    this.#limit = limit
    this.#rooms = {
      failed: createRoom(),
      partial: createRoom(),
      slow: createRoom(),
      cancelled: createRoom(),
      complete: createRoom(),
    }
  }

  get size(): number {
    return this.#byId.size
  }

  /** The memory of all runs, in bytes: an estimate. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds a run, and removes runs until all fit into the room. @returns True if the run is in the store. */
  add(whole: StoredRun): boolean {
    const largest = Math.max(bytesPerRun, (this.#limit * bytesPerRun * shares[whole.class]) / 2)
    const run = whole.bytes > largest ? withoutCalls(whole) : whole
    if (run.bytes > largest) return false
    const room = this.#rooms[run.class]
    const { name } = run.described
    const inClass = new Place(run)
    const inAggregate = new Place(run)
    inClass.other = inAggregate
    let ofAggregate = room.ofAggregate.get(name)
    if (ofAggregate === undefined) room.ofAggregate.set(name, (ofAggregate = new LinkedQueue()))
    room.all.add(inClass)
    ofAggregate.add(inAggregate)
    room.bytes += run.bytes
    this.#bytes += run.bytes
    this.#byId.set(run.id, inClass)
    if (2 * ofAggregate.size > room.all.size) room.largest = name
    while (this.size > this.#limit || this.#bytes > this.#limit * bytesPerRun) this.#evict()
    return this.#byId.get(run.id) === inClass
  }

  find(id: string): StoredRun | undefined {
    return this.#byId.get(id)?.run
  }

  /** The runs of all classes, the oldest of each class first. */
  *runs(): Generator<StoredRun> {
    for (const name of runClasses)
      for (let place = this.#rooms[name].all.first; place !== undefined; place = place.nextInQueue) yield place.run
  }

  count(runClass: RunClass): number {
    return this.#rooms[runClass].all.size
  }

  oldest(runClass: RunClass): StoredRun | undefined {
    return this.#rooms[runClass].all.first?.run
  }

  #evict(): void {
    let fullest: ClassRoom = this.#rooms.failed
    let most = -1
    for (const name of runClasses) {
      const room = this.#rooms[name]
      const use = Math.max(room.all.size / this.#limit, room.bytes / (this.#limit * bytesPerRun)) / shares[name]
      if (use > most) [most, fullest] = [use, room]
    }
    this.#remove(fullest)
  }

  #remove(room: ClassRoom): void {
    const largest = room.ofAggregate.get(room.largest)
    const isLargest = largest !== undefined && 2 * largest.size > room.all.size
    const { run } = (isLargest ? largest.first : room.all.first) as Place
    const inClass = this.#byId.get(run.id) as Place
    const ofAggregate = room.ofAggregate.get(run.described.name) as LinkedQueue<Place>
    room.all.remove(inClass)
    ofAggregate.remove(inClass.other as Place)
    if (ofAggregate.size === 0) room.ofAggregate.delete(run.described.name)
    room.bytes -= run.bytes
    this.#bytes -= run.bytes
    this.#byId.delete(run.id)
  }
}

function createRoom(): ClassRoom {
  return { all: new LinkedQueue(), ofAggregate: new Map(), bytes: 0, largest: '' }
}
