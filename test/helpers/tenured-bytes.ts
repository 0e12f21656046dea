import { getHeapSpaceStatistics } from 'node:v8'

const usedOld = () => getHeapSpaceStatistics().find(space => space.space_name === 'old_space')?.space_used_size ?? 0

const pair = (one: object, other: object) => [one, other]

/**
 * How many bytes of short-lived pairs end in the old generation, after all pairs of the same place in the code have
 * lived long.
 */
export function tenuredBytes(): number {
  let waiting: unknown[] = []
  const run = (count: number, atOnce: number) => {
    for (let index = 0; index < count; index++) waiting[index % atOnce] = pair({ index }, { index })
  }
  run(1_000_000, 1_000_000)
  waiting = []
  run(1_000_000, 100)
  let grown = 0
  let last = usedOld()
  for (let round = 0; round < 100; round++) {
    run(20_000, 100)
    const now = usedOld()
    grown += Math.max(0, now - last)
    last = now
  }
  return grown
}
