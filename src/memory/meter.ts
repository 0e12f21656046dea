import type { Collector } from './collector.ts'
import type { MemoryGroup } from './control-group.ts'

/**
 * Heap that a body may need while it becomes a value, by its bytes: its text, its strings, its objects, and what is
 * written of it.
 */
const heapPerByte = 4

/** The share of the time that collections may take where work would be refused otherwise. */
export const urgentShare = 0.05

/** A reading of the memory, in percent of what ends the process. */
export interface MemoryReading {
  /** Share of the old generation's limit that is alive. */
  readonly heapPercent: number
  /** Share of the memory of the control group, or of the machine where no group has a limit. */
  readonly memoryPercent: number
}

/** A reading of the heap, in percent of its limit. */
export interface HeapReading {
  /** The live objects, as far as is known. */
  readonly alive: number
  /** The use, dead objects included. */
  readonly used: number
}

/** The memory of a process, as a meter reads it. */
export interface Memory {
  /** The limit of the old generation, in bytes. */
  readonly heapLimit: number
  /** Reads the bytes in use in the old generation, dead objects included. */
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
 * Tells how full the memory is. Dead objects that V8 has not collected yet are no reason to refuse work, so what counts
 * of the heap is what a full collection leaves. What one of V8's leaves is read in a later turn, when further objects
 * are there; the least of three such readings has few of them.
 */
export class MemoryMeter {
  readonly #memory: Memory
  readonly #heapCeiling: number
  readonly #memoryCeiling: number
  /** Bytes that are alive, as far as is known. */
  #alive: number
  /** The use after the two full collections before, in bytes. */
  #before: readonly [number, number]
  #collectedAt = -Infinity
  /** CPU time of the last collection, in ms. A crowded machine makes it last longer, and does not make it rarer. */
  #took = 0
  /** Bytes that bodies may have taken since the last collection. */
  #claimed = 0
  /** Bytes that bodies may take until the heap is read again. */
  #heapLeft = 0
  /** Bytes that may come of bodies until the memory of the process is read again. */
  #memoryLeft = 0

  /**
   * Makes a meter. Its limits are those from which on requests are refused, in percent; bodies are refused beyond a
   * third of the way from a limit to 100 %. A limit of 0 switches the check off.
   */
  constructor(memory: Memory, { heapPercent, memoryPercent }: MemoryReading) {
    this.#memory = memory
    this.#heapCeiling = heapPercent === 0 ? Infinity : memory.heapLimit * ceilingOf(heapPercent)
    this.#memoryCeiling = memoryPercent === 0 ? Infinity : ceilingOf(memoryPercent)
    this.#alive = this.#look()
    this.#before = [this.#alive, this.#alive]
  }

  /** Begins to notice the full collections of V8. Returns a function that ends it. */
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

  /** Reads how full the memory of the process is, in percent; this reads files. */
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
   * Collects, so that what is alive is known. Does nothing and gives false where collections would take more than a
   * share of the time since the last one, of V8 too: V8 ends a process that does little else than collect a heap of
   * which 80 % are alive.
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

  /** Takes memory for a part of a body that has come; gives false where the process has none. */
  hold(bytes: number): boolean {
    this.#memoryLeft -= bytes
    if (this.#memoryLeft >= 0) return true
    this.memoryPercent()
    this.#memoryLeft -= bytes
    return this.#memoryLeft >= 0
  }

  /** Takes room in the heap for a body that is to be read; gives false where the heap has none. */
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
    // V8 collects before it gives up, so only what can be alive counts.
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
