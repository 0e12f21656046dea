import type { Collector } from './collector.ts'
import type { MemoryGroup } from './control-group.ts'

/** Heap that a body may need while it becomes a value, by its bytes: its text, its strings, its objects, and what is written of it. */
const heapPerByte = 4

/** A collection that was asked for comes at the earliest so long after the last one, in ms. */
const restMs = 1000

/** The share of the time that collections may take where work would be refused otherwise. */
export const urgentShare = 0.05

/** How full the memory is, in percent of what ends the process. */
export interface MemoryReading {
  /** Share of the old generation's limit that is alive, as far as that is known. */
  readonly heapPercent: number
  /** Share of the memory of the control group, or of the machine where no group has a limit. */
  readonly memoryPercent: number
}

/** How full the heap is, in percent of its limit. */
export interface HeapReading {
  readonly alive: number
  readonly used: number
}

/** The memory of a process, as a meter reads it. */
export interface Memory {
  /** The limit of the old generation, in bytes. */
  readonly heapLimit: number
  /** Reads the bytes in use in the old generation, dead objects included. */
  readonly heapUse: () => number
  /** What limits the memory of the whole process. */
  readonly groups: readonly MemoryGroup[]
  readonly collector: Collector
  /** The time, in ms. */
  readonly now: () => number
}

/**
 * Tells how full the memory is. Dead objects that V8 has not collected yet are no reason to refuse work, so what counts of the heap is
 * what was alive after the last full collection. V8 collects at the latest half way from there to the limit
 * (`MemoryController::BoundAllocationLimit` in src/heap/memory-controller.cc); what is in use beyond 50 % counts twice, so that a
 * heap which fills faster than it is collected counts as full when it is.
 */
export class MemoryMeter {
  readonly #memory: Memory
  readonly #ceiling: number
  /** Bytes alive after the last full collection. */
  #live = 0
  #collectedAt = -Infinity
  /** How long the last collection that was asked for took, in ms. */
  #took = 0
  /** Bytes that bodies may have taken since the last full collection. */
  #claimed = 0
  /** Bytes that bodies may take until the heap is read again. */
  #left = 0

  /**
   * Makes a meter.
   * @param heapPercent from where on requests are refused; bodies are refused from half way between that and 100 %
   */
  constructor (memory: Memory, heapPercent: number) {
    this.#memory = memory
    this.#ceiling = memory.heapLimit * (100 + heapPercent) / 200
  }

  /** Takes what is in use for alive until the first full collection, and notices each one. Returns a function that ends it. */
  start (): () => void {
    this.#live = this.#look()
    return this.#memory.collector.watch(() => this.#collected())
  }

  /** Reads the heap. Gives the share of its limit that is alive, as far as that is known, and the share in use, in percent. */
  heap (): HeapReading {
    const { heapLimit } = this.#memory
    const used = this.#look()
    return { alive: 100 * Math.max(0, this.#live, 2 * used - heapLimit) / heapLimit, used: 100 * used / heapLimit }
  }

  /** Reads how full the memory of the process is, in percent; this reads files. */
  memoryPercent (): number {
    let most = 0
    for (const group of this.#memory.groups) {
      const percent = 100 * group.usedBytes() / group.limitBytes
      if (percent > most) most = percent
    }
    return most
  }

  /**
   * Collects, so that what is dead is no longer taken for alive. Does nothing within a second of the last full collection, and
   * nothing where it would take more than a share of the time.
   * @param share from 0 to 1
   */
  collect (share: number): boolean {
    const { collector, now } = this.#memory
    const startedAt = now()
    if (startedAt - this.#collectedAt < Math.max(restMs, this.#took / share)) return false
    collector.run()
    this.#took = now() - startedAt
    this.#collected()
    return true
  }

  /** Takes room for a body that is to be read; gives false where the heap has none. */
  claim (bytes: number): boolean {
    const need = heapPerByte * bytes
    this.#claimed += need
    this.#left -= need
    if (this.#left >= 0 || this.#findRoom(need)) return true
    this.#claimed -= need
    this.#left += need
    return false
  }

  #findRoom (need: number): boolean {
    this.#look()
    this.#left -= need
    if (this.#left >= 0) return true
    if (this.collect(urgentShare)) {
      this.#claimed = need
      this.#left -= need
      return this.#left >= 0
    }
    // V8 collects before it gives up, so only what can be alive counts.
    return this.#live + this.#claimed <= this.#ceiling
  }

  #collected (): void {
    this.#collectedAt = this.#memory.now()
    this.#claimed = 0
    this.#live = this.#look()
  }

  #look (): number {
    const used = this.#memory.heapUse()
    this.#left = this.#ceiling - used
    return used
  }
}
