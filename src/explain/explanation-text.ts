import type {
  CallKey,
  ExplainedCall,
  ExplainedStep,
  ExplainedUpstream,
  Explanation,
  ListedAggregate,
  OriginNow,
  SentHeader,
  Times,
} from './explanation.ts'
import { entryText } from '../upstream/spec/origins-spec.ts'
import { isPlainDefault, limitLines, limitText } from './limit-text.ts'
import { wrapped } from './wrapped-text.ts'

/** Returns the text of an explanation, in lines of at most 80 columns where its words allow it. */
export function explanationText(explanation: Explanation): string {
  const { aggregate, method, url, limits, steps, upstreams, service } = explanation
  const lines = [
    ...wrapped(`${aggregate}  ${method} ${url}`, 2),
    ...limitLines(limits, 2),
    '',
    'Steps',
    ...steps.flatMap((step, index) => stepLines(step, index + 1)),
    '',
    'Upstreams',
    ...allUpstreamLines(upstreams),
  ]
  if (service.limits.length > 0) lines.push('', 'Service', ...limitLines(service.limits, 2))
  return `${lines.join('\n')}\n`
}

/** Returns the text of the list of aggregates: a line each, and below it the fields of its input. */
export function listText(aggregates: readonly ListedAggregate[]): string {
  const lines = aggregates.flatMap(({ name, method, url, fields }) => {
    const shown = fields.map(field => (field.required ? field.name : `[${field.name}]`))
    return [`${name}  ${method} ${url}`, ...(shown.length === 0 ? [] : wrapped(`  fields: ${shown.join(', ')}`, 10))]
  })
  return `${lines.join('\n')}\n`
}

function stepLines({ name, kind, after, limits, calls, omittedCalls, notes }: ExplainedStep, number: number): string[] {
  const needs = after.length === 0 ? '' : `, after ${after.join(' and ')}`
  return [
    ...wrapped(`${String(number).padStart(2)} ${kind === 'context' ? 'context()' : `${name}  ${kind}${needs}`}`, 5),
    ...limitLines(limits, 5),
    ...calls.flatMap(call => callLines(call, 5)),
    ...(omittedCalls === 0 ? [] : [`     and ${counted(omittedCalls, 'more call')}`]),
    ...notes.flatMap(note => wrapped(`     ${note}`, 7)),
  ]
}

function callLines(call: ExplainedCall, indent: number): string[] {
  const { operation, method, path, times, headers, body, key, notes, later = [] } = call
  const pad = ' '.repeat(indent)
  const inner = indent + 2
  const label = (name: string, text: string) => wrapped(`${' '.repeat(inner)}${name.padEnd(8)} ${text}`, inner + 9)
  return [
    ...wrapped(`${pad}${operation}${timesText(times)}`, inner),
    ...wrapped(`${' '.repeat(inner)}${method} ${path}`, inner + method.length + 1),
    ...label('headers', headers.map(headerText).join(', ')),
    ...(body === null ? [] : label('body', body)),
    ...(key === null ? [] : label('shared', keyText(key))),
    ...notes.flatMap(note => label('note', note)),
    ...later.flatMap(next => [`${' '.repeat(inner)}then`, ...callLines(next, inner)]),
  ]
}

function timesText(times: Times): string {
  if (typeof times !== 'number') return `, one per item of ${times.perItemOf}, at most ${times.atMost}`
  return times === 1 ? '' : `, ${times} times`
}

function headerText({ name, from }: SentHeader): string {
  return from === 'default' ? name : `${name} (${from})`
}

function keyText({ for: kind, parts }: CallKey): string {
  const use = kind === 'cache' ? 'a stored answer for equal calls' : 'one answer for equal calls in flight'
  return `${use} (${parts.join(', ')})`
}

/** Returns the lines of the upstreams. A default that all of them have is shown once, below them. */
function allUpstreamLines(upstreams: Explanation['upstreams']): string[] {
  const all = Object.entries(upstreams)
  const [first] = all
  if (first === undefined) return ['  no call is known']
  const defaultsOf = ({ limits }: ExplainedUpstream) => new Set(limits.filter(isPlainDefault).map(limitText))
  const sets = all.map(([, upstream]) => defaultsOf(upstream))
  const isCommon = (text: string) => sets.every(set => set.has(text))
  const common = first[1].limits.filter(limit => isPlainDefault(limit) && isCommon(limitText(limit)))
  const isOwn = (limit: (typeof common)[number]) => !isPlainDefault(limit) || !isCommon(limitText(limit))
  return [
    ...all.flatMap(([name, upstream]) => upstreamLines(name, { ...upstream, limits: upstream.limits.filter(isOwn) })),
    ...limitLines(common, 2, all.length === 1 ? 'default' : 'default of each'),
  ]
}

function upstreamLines(name: string, upstream: ExplainedUpstream): string[] {
  const { origin, origins = [], limits, forwardHeaders, now, notes } = upstream
  return [
    `  ${name}  ${origin}`,
    ...origins.map(each => `    origin ${entryText(each)} (${each.from})`),
    ...(now === undefined ? [] : wrapped(`    now ${stateText(now)}`, 6)),
    ...(now?.origins ?? []).map(each => `      ${originNowText(each)}`),
    ...limitLines(limits, 4),
    ...(forwardHeaders.length === 0 ? [] : wrapped(`    forwards ${forwardHeaders.join(', ')} of the caller`, 6)),
    ...notes.flatMap(note => wrapped(`    ${note}`, 6)),
  ]
}

function stateText({ active, permits, queued, breaker }: NonNullable<ExplainedUpstream['now']>): string {
  const state = breaker === null ? '' : `, breaker ${breaker}`
  return `${active} of ${permits} permits in use, ${queued} queued${state}`
}

function originNowText({ origin, state, active, latencyMs }: OriginNow): string {
  const latency = latencyMs === null ? '' : `, ${Math.round(latencyMs)} ms`
  return `${origin} ${state}, ${active} in flight${latency}`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
