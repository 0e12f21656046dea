import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** The size to which the young generation grows first, in bytes. It consists of two halves of equal size. */
const startBytes = 24 * 1024 * 1024
/** The size to which it grows while much of it survives, in bytes. It is the default of V8. */
const largestBytes = 128 * 1024 * 1024

/** The time between two looks at the young generation, in ms. */
const interval = 100
/**
 * The number of looks after which the size is decided. The smallest use of that many looks is about what a collection
 * leaves.
 */
const looks = 50

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

/** Decides the size to which the young generation may grow. */
export class YoungLimit {
  #limit = startBytes
  #looks = 0
  #leastUse = Infinity

  /** Returns the factor of the next growth. With 1 the size stays. */
  factor({ size, used }: YoungGeneration): number {
    this.#leastUse = Math.min(this.#leastUse, used)
    if (++this.#looks === looks) {
      // A collection copies what is alive from one half to the other. If it is more than a third of a half, collections
      // are too frequent for their work.
      if (size > this.#limit / 2 && this.#leastUse > size / 6) this.#limit = Math.min(this.#limit * 2, largestBytes)
      // V8 makes the generation smaller while the process is idle.
      if (size < this.#limit / 2) this.#limit = startBytes
      this.#looks = 0
      this.#leastUse = Infinity
    }
    return Math.max(1, Math.floor(this.#limit / size))
  }
}

/**
 * Limits the size of V8's young generation for the life of the process, unless the options of Node.js set it. V8 lets
 * it grow to 128 MiB when objects have survived, as objects of waiting requests do, although a small part of that is
 * enough for most loads. V8 reads its own limit only when a process starts, but it reads the factor of a growth at each
 * growth.
 */
export function limitYoungGeneration({ execArgv, environment = '' }: NodeOptions): void {
  if ([...execArgv, environment].some(text => /semi[-_]space/.test(text))) return
  const limit = new YoungLimit()
  let factor = 1
  setFactor(factor)
  setInterval(() => {
    const next = limit.factor(youngGeneration())
    if (next !== factor) setFactor((factor = next))
  }, interval).unref()
}

function setFactor(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`)
}

/** Returns the bytes of the young generation of this thread. */
export function youngGeneration(): YoungGeneration {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  return { size: space?.space_size ?? largestBytes, used: space?.space_used_size ?? 0 }
}
