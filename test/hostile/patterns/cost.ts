import { written, type Shape } from './near-misses.ts'

/** Searches a text as the service does. */
export type Search = (text: string) => unknown

/** Makes the search of a pattern: for its first match, or for all of them. */
export function searchOf(pattern: RegExp, isRepeated: boolean): Search {
  if (!isRepeated) return text => pattern.test(text)
  const every = new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`)
  return text => text.replaceAll(every, '')
}

/** The CPU time of a search on this thread, in ms. */
export function costOf(search: Search, text: string): number {
  const before = process.threadCpuUsage()
  search(text)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** Lengths before the last two: a search that is not linear is found out while it still ends. */
const lengths = [24, 1000, 10_000]

/**
 * Limit on one search of each of these lengths, in ms of CPU. A quadratic search of 10,000 characters takes 50 ms and
 * more.
 */
const shortLimit = 20

/** Limit on one search of a million characters, in ms of CPU. */
const longLimit = 500

/** Below this, in ms, a ratio of two times says nothing. */
const noise = 30

/** The cost at 10,000 characters, or why the search is not linear so far. */
export function early(search: Search, shape: Shape): number | string {
  let cost = 0
  for (const length of lengths) {
    const text = written(shape, length)
    cost = costOf(search, text)
    // Garbage collection counts too, so a search that is a little slow is measured again.
    for (let tries = 0; cost > shortLimit && cost < 5 * shortLimit && tries < 2; tries++)
      cost = Math.min(cost, costOf(search, text))
    if (cost > shortLimit) return `${cost} ms for ${length} characters`
  }
  return cost
}

/** Why a search of a million characters is not linear; nothing where it is. */
export function late(search: Search, shape: Shape): string | undefined {
  const [half, whole] = [written(shape, 500_000), written(shape, 1_000_000)]
  const measured = () => ({ one: costOf(search, half), two: costOf(search, whole) })
  const isBad = ({ one, two }: { readonly one: number; readonly two: number }) =>
    two > longLimit || (two > noise && two > 3 * one)
  let cost = measured()
  for (let tries = 0; isBad(cost) && tries < 3; tries++) cost = measured()
  return isBad(cost) ? `${cost.one} ms for half a million characters and ${cost.two} ms for a million` : undefined
}
