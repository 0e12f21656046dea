import { errors, type ErrorCode } from '../../errors.ts'
import { printable } from '../../log/printable.ts'
import type { CallCounts, BareEvent } from '../../fanout/events.ts'
import { hasSeveralCalls } from '../../fanout/step.ts'
import { waitText } from '../../waterfall/sentences.ts'
import { callsOf, isLost, rowOf, type Row, type RunView } from './run-view.ts'

/** Returns the line of an event for an output that is not a terminal, or `undefined` for an event without a line. */
export function plainLine(view: RunView, event: BareEvent): string | undefined {
  const at = `${event.at.toFixed(1).padStart(8)} ms  `
  if (event.type === 'run ended') return `${at}${summaryOf(view, event.at)}`
  if (event.type !== 'step started' && event.type !== 'step ended') return undefined
  const width = Math.max(...view.rows.map(({ name }) => name.length))
  const row = rowOf(view, event.step)
  const name = row.name.padEnd(width)
  return event.type === 'step started' ? `${at}${name}  started` : `${at}${name}  ${row.state}${endOf(row)}`
}

function endOf(row: Row): string {
  const { start = 0, end = 0, attempts, state, fault } = row
  const calls = callsOf(row)
  const parts = [
    `${(end - start).toFixed(1)} ms`,
    `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    ...(calls === '' ? [] : [`${calls} calls`]),
    ...(fault === undefined ? [] : [`rehearsed ${fault}`]),
  ]
  return ` after ${parts.join(', ')}${isLost(row) && state !== 'cancelled' ? reasonOf(row) : ''}`
}

/** Returns the state of a run in one line. */
export function summaryOf({ rows, outcome }: RunView, now: number): string {
  if (outcome === undefined) return `running, ${Math.round(now)} ms`
  const ms = `${outcome.at.toFixed(1)} ms`
  if (outcome.code === 'CANCELLED') return `cancelled after ${ms}`
  if (outcome.code !== undefined) return `failed after ${ms}: ${outcome.code}`
  return rows.some(isLost) ? `not complete, in ${ms}` : `complete, in ${ms}`
}

/** Returns one line, with the state and the reason, per step that ended as neither `ok`, `skipped` nor `cancelled`. */
export function lossesOf({ rows }: RunView): string[] {
  const width = Math.max(0, ...rows.filter(hasReason).map(({ name }) => name.length))
  return rows.filter(hasReason).map(row => `${row.name.padEnd(width)}  ${row.state}${reasonOf(row)}`)
}

/** The share of the time of a run from which a wait is reported. */
const longWait = 0.1

/** Returns one line per step whose calls waited for a large part of the run, with the longest wait. */
export function waitsOf({ rows, outcome }: RunView): string[] {
  if (outcome === undefined) return []
  const { at } = outcome
  const found = rows.flatMap(({ name, timeline }) => {
    const waits = [...timeline.values()].flatMap(call => call.waits)
    // The run may end before a wait.
    const [longest] = waits
      .map(wait => ({ ...wait, end: Math.min(wait.end, at) }))
      .toSorted((one, other) => other.end - other.start - (one.end - one.start))
    return longest === undefined || longest.end - longest.start < at * longWait ? [] : [{ name, longest }]
  })
  const width = Math.max(0, ...found.map(({ name }) => name.length))
  return found.map(({ name, longest }) => `${name.padEnd(width)}  ${waitText(longest)}`)
}

/** Returns true if the step has ended and has a reason to show. A cancelled step has no reason to show. */
function hasReason(row: Row): boolean {
  return isLost(row) && row.state !== 'waiting' && row.state !== 'running' && row.state !== 'cancelled'
}

/** Returns `: ` and the reason why a step is not `ok`, or an empty text if the reason is not known. */
export function reasonOf(row: Row): string {
  const { code, tally, why } = row
  const losses = tally === undefined ? [] : lossesIn(row, tally)
  if (losses.length > 0) return `: ${losses.join('; ')}`
  if (code === undefined) return ''
  const because = why === undefined || isList(row) ? '' : `: ${printable(why)}`
  return `: ${textOf(code, statusOf(row))}${because}`
}

/** Returns descriptions of the failed calls of a list, and of its omitted items or pages. */
function lossesIn({ kind }: Row, { calls, failed, omitted = 0 }: CallCounts): string[] {
  const kinds = Array.from(
    Map.groupBy(failed, loss => textOf(loss.code, loss.status)),
    ([text, losses]) => `${losses.length > 1 ? `${losses.length} × ` : ''}${text}`,
  )
  return [
    ...(failed.length === 0 ? [] : [`${failed.length} of ${calls} calls lost, ${kinds.join('; ')}`]),
    ...(omitted === 0
      ? []
      : [`${omittedText(kind, omitted)} omitted by its ${kind === 'pages' ? 'maxPages' : 'maxItems'}`]),
  ]
}

/** Returns the number of omitted items or pages. The number of pages is not known if each one links to the next. */
function omittedText(kind: Row['kind'], omitted: number | null): string {
  if (omitted === null) return 'further pages'
  return `${omitted} ${kind === 'pages' ? 'page' : 'item'}${omitted === 1 ? '' : 's'}`
}

/**
 * Returns the status of the failed call of a step that sends one call. The `context` hook may fail after a good answer;
 * then there is no failed call.
 */
function statusOf(row: Row): number | undefined {
  return isList(row) || (row.state === 'failed' && row.answered > 0) ? undefined : row.status
}

function isList({ kind }: Row): boolean {
  return hasSeveralCalls(kind)
}

function textOf(code: string, status: number | undefined): string {
  const text = Object.hasOwn(errors, code) ? errors[code as ErrorCode].text : 'failed'
  return `${code}${status === undefined ? '' : ` (${status})`}, ${text}`
}
