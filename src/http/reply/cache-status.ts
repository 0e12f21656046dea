import type { Outcome } from '../../fanout/outcome.ts'

/**
 * How our cache had part in each step whose calls have one (RFC 9211): `headwaters;hit;ttl=42;detail=breed,
 * headwaters;fwd=miss;detail=facts`. Nothing where no step has.
 */
export function cacheStatus(sources: Readonly<Record<string, Outcome>>): string {
  let text = ''
  for (const [name, outcome] of Object.entries(sources)) {
    if (outcome.cache !== undefined) text += `${text === '' ? '' : ', '}headwaters;${partOf(outcome)};detail=${name}`
  }
  return text
}

function partOf({ cache, state, status, ttl }: Outcome): string {
  if (cache === 'miss') return status === 304 ? 'fwd=stale;fwd-status=304' : 'fwd=miss'
  // It was asked for, and what is kept stands for a failure.
  if (state === 'stale') return `fwd=stale${status === undefined ? '' : `;fwd-status=${status}`};ttl=${ttl}`
  return `hit;ttl=${ttl}`
}
