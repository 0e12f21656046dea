/** Returns a well-mixed integer of 32 bits that depends on the two numbers only. */
export function hash(seed: number, counter: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(counter + 1, 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Returns a number between 0 and 1, both excluded, that depends on the two numbers only. */
export function fraction(seed: number, counter: number): number {
  return (hash(seed, counter) + 0.5) / 2 ** 32
}

/** Returns the items in an order that depends on the seed only. */
export function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  return items
    .map((item, index) => ({ item, rank: hash(seed, index) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ item }) => item)
}
