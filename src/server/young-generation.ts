import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'

/** The size to which the young generation grows first, in bytes. It consists of two halves of equal size. */
const startBytes = 24 * 1024 * 1024
/** The size to which it grows while much of it survives, in bytes. It is the default of V8. */
const largestBytes = 128 * 1024 * 1024

/**
 * The limit of a heap below which V8 decides the size, in bytes. A small young generation is collected more often, and
 * V8 ends a process whose heap is nearly full when collections take most of the time.
 */
const smallHeapBytes = 512 * 1024 * 1024

/** The time between two looks at the young generation, in ms. */
const interval = 100
/**
 * The number of looks after which the size is decided. The smallest use of that many looks is about what a collection
 * leaves.
 */
const looks = 50

/** The number of objects, of 64 KB each, that are allocated at most to cause a growth. */
const mostObjects = 256
/** The free memory of the heap below which the generation does not grow, in bytes. It is four times those objects. */
const leastFreeBytes = 64 * 1024 * 1024

/** The options of Node.js, in which a user may set the size. */
export interface NodeOptions {
  readonly execArgv: readonly string[]
  readonly environment: string | undefined
}

/** The bytes of the young generation. */
export interface YoungGeneration {
  readonly size: number
  readonly used: number
}

/** Decides the size of the young generation. */
export class YoungLimit {
  /** The largest size that V8 allows, as far as it is known. */
  #possible = largestBytes
  #limit = startBytes
  #looks = 0
  #leastUse = Infinity
  #lastUse = Infinity

  /** Returns the factor by which the generation grows now. With 1 its size stays. */
  factor({ size, used }: YoungGeneration): number {
    const isCollected = used < this.#lastUse
    this.#lastUse = used
    this.#leastUse = Math.min(this.#leastUse, used)
    if (++this.#looks === looks) {
      // A collection copies what is alive from one half to the other. If it is more than a third of a half, collections
      // are too frequent for their work.
      if (size > this.#limit / 2 && this.#leastUse > size / 6) this.#limit = Math.min(this.#limit * 2, this.#possible)
      // V8 makes the generation smaller while the process is idle.
      if (size < this.#limit / 2) this.#limit = Math.min(startBytes, this.#possible)
      this.#looks = 0
      this.#leastUse = Infinity
    }
    return isCollected && size > 0 ? Math.max(1, Math.floor(this.#limit / size)) : 1
  }

  /** Records that V8 did not make the generation larger than `size`. It has a smaller maximum if its heap is small. */
  stoppedAt(size: number): void {
    this.#possible = size
    this.#limit = Math.min(this.#limit, size)
  }
}

/**
 * Limits the size of V8's young generation for the life of the process, unless the options of Node.js set it or the
 * heap is small. V8 lets it grow to 128 MiB when objects have survived, as objects of waiting requests do, although a
 * small part of that is enough for most loads. V8 reads its own limit only when a process starts, but it reads the
 * factor of a growth at each growth. So the factor is 1, and the generation grows by one step at a time when a look
 * decides it.
 */
export function limitYoungGeneration({ execArgv, environment = '' }: NodeOptions): void {
  if ([...execArgv, environment].some(text => /semi[-_]space/.test(text))) return
  if (getHeapStatistics().heap_size_limit < smallHeapBytes) return
  const limit = new YoungLimit()
  setFactor(1)
  setInterval(() => {
    const generation = youngGeneration()
    const factor = limit.factor(generation)
    // The objects that cause a growth would end a process whose heap is nearly full.
    if (factor === 1 || getHeapStatistics().total_available_size < leastFreeBytes) return
    if (!grow(factor, generation.size)) limit.stoppedAt(youngGeneration().size)
  }, interval).unref()
}

/**
 * Makes V8 grow the young generation once. V8 does so at the end of a collection that enough objects have survived.
 * Returns whether it has grown.
 */
function grow(factor: number, size: number): boolean {
  const survivors: unknown[] = []
  setFactor(factor)
  let hasGrown = false
  while (!hasGrown && survivors.length < mostObjects) {
    survivors.push(Array.from({ length: 8192 }, () => 0))
    hasGrown = youngGeneration().size >= size * 1.5
  }
  setFactor(1)
  return hasGrown
}

function setFactor(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
}

/** Returns the bytes of the young generation of this thread. */
export function youngGeneration(): YoungGeneration {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  return { size: space?.space_size ?? largestBytes, used: space?.space_used_size ?? 0 }
}
