import { getHeapSpaceStatistics } from 'node:v8'

/** The spaces of the old generation. The limit applies to their sum. */
const isOld =
  /^(?:shared_)?(?:old|code|trusted|large_object|code_large_object|trusted_large_object)_space$|^shared_space$/

/** The indexes of the spaces of the old generation in the list. V8 returns the same list at each call. */
const places = getHeapSpaceStatistics().flatMap(({ space_name: name }, place) => (isOld.test(name) ? [place] : []))

/** Returns the bytes in use in the old generation, including dead objects that are not collected yet. */
export function oldSpaceUse(): number {
  const spaces = getHeapSpaceStatistics()
  let bytes = 0
  for (const place of places) bytes += spaces[place]?.space_used_size ?? 0
  return bytes
}
