import type { KeptAttempt, WaitReason } from '../waterfall/kept-run.ts'
import { rounded, type ReadCall } from './read-calls.ts'
import type { StoredRun } from './stored-run.ts'

/** A part of the time of a step. */
export interface TimePart {
  readonly ms: number
  /** The part in words, after its length: `waited for a permit of meowfacts`. */
  readonly text: string
}

const waitTexts: Readonly<Record<WaitReason, (call: ReadCall) => string>> = {
  permit: ({ described: { upstream } }) => `waited for a permit of ${upstream}`,
  token: ({ described: { upstream } }) => `waited for a token of ${upstream}`,
  retry: ({ described: { name } }) => `waited before a retry of ${name}`,
  shared: ({ described: { name } }) => `waited for an equal call of ${name}`,
  keys: ({ described: { name } }) => `waited for the batch of keys of ${name}`,
}

/** The number of results of attempts in one text. */
const mostResults = 3

/**
 * Returns the parts of the time of a step: the waits, the attempts and the rest of its decisive call, and the time in
 * which no call was in flight. If the run has calls or entries that were not kept, the rests say so.
 *
 * @param step The start of the step and its duration, in ms.
 */
export function partsOf(
  run: StoredRun,
  { start, ms }: { readonly start: number; readonly ms: number },
  calls: readonly ReadCall[],
  decisive: ReadCall | undefined,
): readonly TimePart[] {
  const ends = calls.map(({ call }) => call.end ?? run.ms)
  const before = Math.min(ms, ...calls.map(({ call }) => call.start - start))
  const after = calls.length === 0 ? 0 : start + ms - Math.max(...ends)
  const own = {
    ms: rounded(Math.max(0, before) + Math.max(0, after)),
    text: run.omittedCalls > 0 ? 'outside its kept calls' : 'in the function of the step',
  }
  return decisive === undefined ? [own] : [own, ...waitsOf(decisive), attemptsOf(run, decisive), restOf(run, decisive)]
}

function waitsOf(read: ReadCall): readonly TimePart[] {
  const sums = new Map<WaitReason, number>()
  for (const { reason, start, end } of read.call.waits) sums.set(reason, (sums.get(reason) ?? 0) + end - start)
  return Array.from(sums, ([reason, ms]) => ({ ms: rounded(ms), text: waitTexts[reason](read) }))
}

/** Returns the time in attempts without the waits for a token in them. */
function attemptsOf(run: StoredRun, { call, described: { name } }: ReadCall): TimePart {
  const { attempts, waits } = call
  let ms = coveredMs(run, attempts)
  for (const { reason, start, end } of waits) if (reason === 'token') ms -= end - start
  const count = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`
  return { ms: rounded(Math.max(0, ms)), text: `in ${count} of ${name}${resultsOf(attempts)}` }
}

/** Returns the time of a call in which it neither waited nor had an attempt, for example in a layer of the user. */
function restOf(run: StoredRun, { call, described: { name } }: ReadCall): TimePart {
  const ms = (call.end ?? run.ms) - call.start - coveredMs(run, [...call.attempts, ...call.waits])
  const parts = run.omittedEntries > 0 ? 'kept attempts and waits' : 'attempts and waits'
  return { ms: rounded(Math.max(0, ms)), text: `outside the ${parts} of ${name}` }
}

/** Returns the time that spans cover together. The two attempts of a hedge overlap. */
function coveredMs(run: StoredRun, spans: readonly { readonly start: number; readonly end: number | null }[]): number {
  let ms = 0
  let until = 0
  for (const { start, end } of spans.toSorted((one, other) => one.start - other.start)) {
    const to = end ?? run.ms
    ms += Math.max(0, to - Math.max(start, until))
    until = Math.max(until, to)
  }
  return ms
}

function resultsOf(attempts: readonly KeptAttempt[]): string {
  const results = attempts
    .map(({ status, code }) => [status, code].filter(part => part !== null).join(' '))
    .filter(result => result !== '')
  if (results.length === 0) return ''
  const more = results.length - mostResults
  return ` (${results.slice(0, mostResults).join(', ')}${more > 0 ? ` and ${more} more` : ''})`
}
