import type { UpstreamError } from '../../../errors.ts'
import type { Answer } from '../../spec/answer.ts'
import { ageOf, type LookupResult } from './entry.ts'

/**
 * Returns the answer to a call that is answered with an entry.
 *
 * @param use - The use of the entry: `hit` if it is fresh, `stale` if not.
 * @param now - The present time of the steady clock of the cache, in ms.
 * @param insteadOf - The failure that the entry replaces.
 */
export function storedAnswer(
  { entry, value }: LookupResult,
  use: 'hit' | 'stale',
  now: number,
  insteadOf?: UpstreamError,
): Answer<unknown> {
  const age = ageOf(entry, now)
  const cached = { cache: use, age: Math.floor(age / 1000), ttl: Math.floor((entry.lifetime - age) / 1000) }
  return { value, status: entry.status, cached: insteadOf === undefined ? cached : { ...cached, insteadOf } }
}
