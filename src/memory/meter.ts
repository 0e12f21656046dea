import type { Collector } from './collector.ts'
import type { MemoryGroup } from './control-group.ts'

/**
 * The bytes of heap that each byte of a body may need: for the text, the parsed strings and objects, and the output
 * that is written from them.
 */
const heapPerByte = 4

/** The share of the time that collections may take if work would otherwise be refused. */
export const urgentShare = 0.05

/** A reading of the memory, in percent of the limits at which the process ends. */
export interface MemoryReading {
  /** The live objects of the old generation, in percent of its limit. */
  readonly heapPercent: number
  /** The memory in use, in percent of the limit of the control group, or of the machine if no group has a limit. */
  readonly memoryPercent: number
}

/** A reading of the heap, in percent of its limit. */
export interface HeapReading {
  /** The live objects, by the current estimate. */
  readonly alive: number
  /** The live and the dead objects. */
  readonly used: number
}

/** The memory of a process, as a meter reads it. */
export interface Memory {
  /** The limit of the old generation, in bytes. */
  readonly heapLimit: number
  /** Reads the bytes in use in the old generation, including dead objects. */
  readonly heapUse: () => number
  /** The groups that limit the memory of the whole process. */
  readonly groups: readonly MemoryGroup[]
  readonly collector: Collector
  /** The time, in ms. */
  readonly now: () => number
  /** The CPU time that this thread has used, in ms. */
  readonly cpu: () => number
}

/**
 * Measures how full the memory is. Dead objects that V8 has not collected yet must not cause refusals, so only the
 * objects that survive a full collection count. After a collection that V8 starts, the heap is read in a later turn of
 * the event loop and includes objects that were allocated after the collection. The smallest of three such readings
 * includes few of them.
 */
export class MemoryMeter {
  readonly #memory: Memory
  readonly #heapCeiling: number
  readonly #memoryCeiling: number
  /** The live bytes, by the current estimate. */
  #alive: number
  /** The bytes in use after the last two full collections. */
  #before: readonly [number, number]
  #collectedAt = -Infinity
  /**
   * CPU time of the last collection that the meter started, in ms. On a busy machine a collection has a longer
   * wall-clock time; with CPU time, this does not make collections rarer.
   */
  #took = 0
  /** Bytes of heap that bodies have claimed since the last collection that the meter started. */
  #claimed = 0
  /** Bytes of heap that bodies may still claim until the heap is read again. */
  #heapLeft = 0
  /** Bytes of bodies that may still arrive until the memory of the process is read again. */
  #memoryLeft = 0

  /**
   * Creates a meter. Its limits are in percent. Requests are refused from a limit on. Bodies are refused above a higher
   * threshold: the limit plus one third of the distance from the limit to 100 %. A limit of 0 switches the check off.
   */
  constructor(memory: Memory, { heapPercent, memoryPercent }: MemoryReading) {
    this.#memory = memory
    this.#heapCeiling = heapPercent === 0 ? Infinity : memory.heapLimit * ceilingOf(heapPercent)
    this.#memoryCeiling = memoryPercent === 0 ? Infinity : ceilingOf(memoryPercent)
    this.#alive = this.#look()
    this.#before = [this.#alive, this.#alive]
  }

  /** Starts to observe the full collections of V8. Returns a function that stops this. */
  watch(): () => void {
    return this.#memory.collector.watch(() => {
      const used = this.#look()
      const [last, secondLast] = this.#before
      this.#alive = Math.min(used, last, secondLast)
      this.#before = [used, last]
      this.#collectedAt = this.#memory.now()
    })
  }

  /** Reads how full the heap is. */
  heap(): HeapReading {
    const used = this.#look()
    if (used < this.#alive) this.#alive = used
    return { alive: (100 * this.#alive) / this.#memory.heapLimit, used: (100 * used) / this.#memory.heapLimit }
  }

  /** Reads how full the memory of the process is, in percent. It reads files. */
  memoryPercent(): number {
    let most = 0
    this.#memoryLeft = Infinity
    for (const group of this.#memory.groups) {
      const used = group.usedBytes()
      if (Number.isNaN(used)) continue
      most = Math.max(most, (100 * used) / group.limitBytes)
      this.#memoryLeft = Math.min(this.#memoryLeft, group.limitBytes * this.#memoryCeiling - used)
    }
    return most
  }

  /**
   * Runs a full collection, so that the number of live bytes is known. Returns false and does not collect if
   * collections would take more than `share` of the time since the last collection, which may be one of V8. The reason
   * for this limit: V8 ends a process that spends most of its time on collections of a heap that is 80 % alive.
   * @param share from 0 to 1
   */
  collect(share: number): boolean {
    const { collector, now, cpu } = this.#memory
    if (now() - this.#collectedAt < this.#took / share) return false
    const before = cpu()
    collector.run()
    this.#took = cpu() - before
    this.#collectedAt = now()
    this.#claimed = 0
    this.#alive = this.#look()
    this.#before = [this.#alive, this.#alive]
    return true
  }

  /** Reserves memory for a part of a body that has arrived. Returns false if the process does not have enough. */
  hold(bytes: number): boolean {
    this.#memoryLeft -= bytes
    if (this.#memoryLeft >= 0) return true
    this.memoryPercent()
    this.#memoryLeft -= bytes
    return this.#memoryLeft >= 0
  }

  /** Reserves heap for a body that will be parsed. Returns false if the heap does not have enough room. */
  claim(bytes: number): boolean {
    const need = heapPerByte * bytes
    this.#claimed += need
    this.#heapLeft -= need
    if (this.#heapLeft >= 0 || this.#findRoom(need)) return true
    this.#claimed -= need
    this.#heapLeft += need
    return false
  }

  #findRoom(need: number): boolean {
    this.#look()
    this.#heapLeft -= need
    if (this.#heapLeft >= 0) return true
    if (this.collect(urgentShare)) {
      this.#claimed = need
      this.#heapLeft -= need
      return this.#heapLeft >= 0
    }
    // V8 collects before it ends the process, so only the bytes that may be alive count.
    return this.#alive + this.#claimed <= this.#heapCeiling
  }

  #look(): number {
    const used = this.#memory.heapUse()
    this.#heapLeft = this.#heapCeiling - used
    return used
  }
}

function ceilingOf(percent: number): number {
  return (percent + (100 - percent) / 3) / 100
}
