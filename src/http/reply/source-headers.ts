import type { Outcome } from '../../fanout/outcome.ts'

type Sources = Readonly<Record<string, Outcome>>

/** Returns the value of `server-timing`: one metric per step that started (W3C Server Timing). */
export function serverTiming(sources: Sources): string {
  let text = ''
  for (const [name, { start, ms, state }] of Object.entries(sources)) {
    if (start !== undefined) text += `${text === '' ? '' : ', '}${name};dur=${ms};desc="${state}"`
  }
  return text
}

/**
 * Returns the value of `cache-status` (RFC 9211), with one member per step whose calls have a cache:
 * `headwaters;hit;ttl=42;detail=breed, headwaters;fwd=miss;detail=facts`. It is empty if no step has a cache.
 */
export function cacheStatus(sources: Sources): string {
  let text = ''
  for (const [name, outcome] of Object.entries(sources)) {
    if (outcome.cache !== undefined)
      text += `${text === '' ? '' : ', '}headwaters;${cacheParameters(outcome)};detail=${name}`
  }
  return text
}

function cacheParameters({ cache, state, status, ttl }: Outcome): string {
  if (cache === 'miss') return status === 304 ? 'fwd=stale;fwd-status=304' : 'fwd=miss'
  // The request to the upstream failed, so the stored response is used.
  if (state === 'stale') return `fwd=stale${status === undefined ? '' : `;fwd-status=${status}`};ttl=${ttl}`
  return `hit;ttl=${ttl}`
}

/**
 * Returns the value of `headwaters-sources`, a dictionary (RFC 9651):
 * `ninja=ok;start=0.4;ms=31.2;attempts=1, meow=fallback;start=0.5;ms=12;attempts=1;code=UPSTREAM_STATUS`.
 */
export function sourcesHeader(sources: Sources): string {
  return Object.entries(sources)
    .map(([name, { state, failed, ...rest }]) => {
      const numbers = Object.entries(rest)
        .map(([key, value]) => `;${key}=${value}`)
        .join('')
      return `${name.toLowerCase()}=${state}${numbers}${failed === undefined ? '' : `;failed=${failed.length}`}`
    })
    .join(', ')
}
