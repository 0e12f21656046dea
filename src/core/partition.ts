import { wholeNumber } from './bounds.ts'

/** One of several equal parts of a total; the partitions of one total have the indexes from 0 to `count - 1`. */
export interface Partition {
  /** The number of this process, from 0. */
  readonly index: number
  /** The number of processes. */
  readonly count: number
}

/** Returns the amount of a total that a partition has; the amounts differ by 1 at most, and their sum is the total. */
export function partition(total: number, { index, count }: Partition): number {
  return Math.floor((total + count - 1 - index) / count)
}

/** Returns a valid partition. Otherwise throws a `TypeError` that names the owner and the allowed values. */
export function checkPartition(owner: string, given: Partition): Partition {
  const { index, count } = given
  wholeNumber(owner, 'partition.count', count)
  wholeNumber(owner, 'partition.index', index, { min: 0 })
  if (index >= count)
    throw new TypeError(`${owner}: partition.index must be below partition.count (${count}), got ${index}`)
  return given
}
