import { hash } from './hash.ts'

/** Returns the items in an order that depends on the seed only. */
export function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  return items
    .map((item, index) => ({ item, rank: hash(seed, index) }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ item }) => item)
}
