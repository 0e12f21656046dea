import type { Outcome } from '../../fanout/outcome.ts'
import type { ReplySink } from './reply-sink.ts'

type Sources = Readonly<Record<string, Outcome>>

/**
 * Sets the headers that tell about the sources of a reply:
 *
 * - `server-timing`, with one metric per step that started (W3C Server Timing): `ninja;dur=31.2;desc="ok"`
 * - `cache-status` (RFC 9211), with one member per step whose calls have a cache, if there is one:
 *   `headwaters;hit;ttl=42;detail=breed, headwaters;fwd=miss;detail=facts`
 * - `headwaters-sources`, a dictionary (RFC 9651):
 *   `ninja=ok;start=0.4;ms=31.2;attempts=1, meow=fallback;start=0.5;ms=12;attempts=1;code=UPSTREAM_STATUS`
 *
 * @param withSources True if `headwaters-sources` is set.
 */
export function setSourceHeaders(sink: ReplySink, sources: Sources, withSources: boolean): void {
  let timing = ''
  let cached = ''
  let all = ''
  for (const name in sources) {
    const outcome = sources[name] as Outcome
    const { start, ms, state, cache } = outcome
    if (start !== undefined) timing += `${timing === '' ? '' : ', '}${name};dur=${ms};desc="${state}"`
    if (cache !== undefined)
      cached += `${cached === '' ? '' : ', '}headwaters;${cacheParameters(outcome)};detail=${name}`
    if (withSources) all += `${all === '' ? '' : ', '}${name.toLowerCase()}=${parameters(outcome)}`
  }
  sink.header('server-timing', timing)
  if (cached !== '') sink.header('cache-status', cached)
  if (withSources) sink.header('headwaters-sources', all)
}

function cacheParameters({ cache, state, status, ttl }: Outcome): string {
  if (cache === 'miss') return status === 304 ? 'fwd=stale;fwd-status=304' : 'fwd=miss'
  // The request to the upstream failed, so the stored response is used.
  if (state === 'stale') return `fwd=stale${status === undefined ? '' : `;fwd-status=${status}`};ttl=${ttl}`
  return `hit;ttl=${ttl}`
}

/** Returns the state of an outcome with its parameters. `failed` is the number of failed calls. */
function parameters(outcome: Outcome): string {
  const { state, start, ms, attempts, calls, ok, omitted, status, cache, age, ttl, code, failed, fault } = outcome
  let text = start === undefined ? state : `${state};start=${start}`
  text += `;ms=${ms};attempts=${attempts}`
  if (calls !== undefined) text += `;calls=${calls};ok=${ok}`
  // A parameter without a value is true: the number is not known.
  if (omitted !== undefined) text += omitted === null ? ';omitted' : `;omitted=${omitted}`
  if (status !== undefined) text += `;status=${status}`
  if (cache !== undefined) text += `;cache=${cache}`
  if (age !== undefined) text += `;age=${age};ttl=${ttl}`
  if (code !== undefined) text += `;code=${code}`
  if (failed !== undefined) text += `;failed=${failed.length}`
  return fault === undefined ? text : `${text};fault=${fault}`
}
