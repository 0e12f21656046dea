import type { Health, Verdict, VerdictPart } from '../dashboard/protocol.ts'
import type { RecentRuns } from './aggregate-state.ts'
import type { HealthState } from './health.ts'
import { durationText, percentText, rateText, timeText } from './words.ts'

/** An upstream as the verdict sees it. */
export interface JudgedUpstream {
  readonly name: string
  readonly health: HealthState
  /** The aggregates that use it, as far as the service has seen it. */
  readonly usedBy: readonly string[]
}

/** An aggregate as the verdict sees it. */
export interface JudgedAggregate {
  readonly name: string
  readonly recent: RecentRuns
}

/** The number of names that a sentence has at most. */
const maxNames = 3

/** The share of failed or partial runs from which it is mentioned. */
const mentioned = 0.01

/**
 * Returns the state of the service in one or two sentences: the sickest upstream, since when and why it is sick, and
 * what callers get.
 */
export function verdictOf(
  at: number,
  upstreams: readonly JudgedUpstream[],
  aggregates: readonly JudgedAggregate[],
): Verdict {
  for (const health of ['failing', 'strained'] as const) {
    const sick = upstreams.filter(each => each.health.health === health).sort((a, b) => a.health.since - b.health.since)
    if (sick.length > 0) return { health, sentences: [sickSentence(at, health, sick), ...callersOf(sick, aggregates)] }
  }
  return wellVerdict(upstreams, aggregates)
}

function sickSentence(at: number, health: Health, sick: readonly JudgedUpstream[]): VerdictPart[] {
  const [first] = sick as readonly [JudgedUpstream, ...JudgedUpstream[]]
  const { since, reason } = first.health
  const start = { text: timeText(since), at: since }
  const rest = { text: ` (${durationText(at - since)}): ${reason}.` }
  if (sick.length === 1)
    return [{ text: first.name, upstream: first.name }, { text: ` is ${health} since ` }, start, rest]
  return [
    ...listed(sick.map(({ name }) => ({ text: name, upstream: name }))),
    { text: ` are ${health}, ` },
    { text: first.name, upstream: first.name },
    { text: ' since ' },
    start,
    rest,
  ]
}

/** Returns the sentence about what callers of the aggregates that use sick upstreams get. */
function callersOf(sick: readonly JudgedUpstream[], aggregates: readonly JudgedAggregate[]): VerdictPart[][] {
  const users = new Set(sick.flatMap(({ usedBy }) => usedBy))
  const affected = aggregates.filter(({ name, recent }) => users.has(name) && recent.runs > 0)
  if (affected.length === 0) return []
  const troubled = affected.filter(isTroubled).sort(byTrouble)
  if (troubled.length === 0)
    return [[{ text: 'Callers of ' }, ...listed(affected.map(linkTo)), { text: ' get complete replies.' }]]
  return [sentence('Callers of ', troubled)]
}

/** Returns the verdict without a sick upstream. Runs may fail for other reasons. */
function wellVerdict(upstreams: readonly JudgedUpstream[], aggregates: readonly JudgedAggregate[]): Verdict {
  const active = upstreams.filter(({ health: { health } }) => health === 'healthy').length
  const runs = sum(aggregates, ({ recent }) => recent.runs)
  const failed = sum(aggregates, ({ recent }) => recent.failed)
  const troubled = aggregates.filter(isTroubled).sort(byTrouble)
  const traffic = `${rateText(sum(aggregates, ({ recent }) => recent.rate))}, ${percentText(failed, runs)} failed.`
  const isIdle = active === 0 && runs === 0
  const first = isIdle
    ? 'No run and no attempt in the last 10 s.'
    : active === 0
      ? `No upstream was called in the last 10 s; ${traffic}`
      : active === upstreams.length
        ? `${active === 1 ? 'The upstream is' : `All ${active} upstreams are`} healthy; ${traffic}`
        : `${active === 1 ? 'The upstream' : `The ${active} upstreams`} with traffic ` +
          `${active === 1 ? 'is' : 'are'} healthy; ${traffic}`
  return {
    health: isIdle ? 'idle' : 'healthy',
    sentences: [[{ text: first }], ...(troubled.length > 0 ? [sentence('Callers of ', troubled)] : [])],
  }
}

function sentence(start: string, troubled: readonly JudgedAggregate[]): VerdictPart[] {
  const shown = troubled.slice(0, maxNames)
  const parts: VerdictPart[] = [{ text: start }]
  for (const [index, aggregate] of shown.entries()) {
    if (index > 0) parts.push({ text: ', ' })
    parts.push(linkTo(aggregate), { text: ` get ${repliesText(aggregate.recent)}` })
  }
  const more = troubled.length - shown.length
  parts.push({
    text: more > 0 ? `, and ${more} more ${more === 1 ? 'aggregate is' : 'aggregates are'} affected.` : '.',
  })
  return parts
}

/** Returns what callers get, the worse part first: `errors (62 %, 502 UPSTREAM_STATUS) and partial replies (38 %)`. */
function repliesText({ runs, partial, failed, topCode, topStatus }: RecentRuns): string {
  const parts: string[] = []
  if (failed >= runs * mentioned && failed > 0) {
    const cause = [topStatus, topCode].filter(each => each !== null).join(' ')
    parts.push(`errors (${percentText(failed, runs)}${cause === '' ? '' : `, ${cause}`})`)
  }
  if (partial >= runs * mentioned && partial > 0) {
    // The most frequent code is that of the errors, if there are some.
    const cause = parts.length > 0 || topCode === null ? '' : `, ${topCode}`
    parts.push(`partial replies (${percentText(partial, runs)}${cause})`)
  }
  return parts.join(' and ')
}

function isTroubled({ recent: { runs, partial, failed } }: JudgedAggregate): boolean {
  return runs > 0 && (failed > 0 || partial > 0) && Math.max(failed, partial) >= runs * mentioned
}

function byTrouble(a: JudgedAggregate, b: JudgedAggregate): number {
  const [one, other] = [a.recent, b.recent]
  return (
    step(other.failed, other.runs) - step(one.failed, one.runs) ||
    step(other.partial, other.runs) - step(one.partial, one.runs)
  )
}

/** Returns a share in steps of 5 percent. Smaller differences change no order, so that names keep their places. */
function step(part: number, runs: number): number {
  return Math.ceil((20 * part) / runs)
}

function linkTo({ name }: JudgedAggregate): VerdictPart {
  return { text: name, aggregate: name }
}

/** Returns names with commas between them, and the number of those that are left out. */
function listed(names: readonly VerdictPart[]): VerdictPart[] {
  const shown = names.slice(0, maxNames)
  const more = names.length - shown.length
  const parts = shown.flatMap((name, index) => {
    if (index === 0) return [name]
    return [{ text: more === 0 && index === shown.length - 1 ? ' and ' : ', ' }, name]
  })
  return more > 0 ? [...parts, { text: ` and ${more} more` }] : parts
}

function sum<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((total, each) => total + of(each), 0)
}
