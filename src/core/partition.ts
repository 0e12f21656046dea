import { wholeNumber } from './bounds.ts'

/** Which of several equal parts something has: the parts of one whole have the indexes from 0 up to their count. */
export interface Partition {
  readonly index: number
  readonly count: number
}

/** What one part has of a whole number; the parts differ by one at most, and together they have all of it. */
export function partition(total: number, { index, count }: Partition): number {
  return Math.floor((total + count - 1 - index) / count)
}

/** Takes a part, or throws a `TypeError` that names its owner and what is allowed. */
export function checkPartition(owner: string, part: Partition): Partition {
  wholeNumber(owner, 'part.count', part.count)
  wholeNumber(owner, 'part.index', part.index, { min: 0 })
  if (part.index >= part.count)
    throw new TypeError(`${owner}: part.index is ${part.index}, and must be below part.count, ${part.count}`)
  return part
}
