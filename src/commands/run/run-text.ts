import { errors, type ErrorCode } from '../../errors.ts'
import { printable } from '../../log/printable.ts'
import type { RunEvent } from '../../fanout/events.ts'
import { callsOf, isLost, type Row, type RunView } from './run-view.ts'

/** Returns the line of an event for an output that is not a terminal, or `undefined` for an event without a line. */
export function plainLine(view: RunView, event: RunEvent): string | undefined {
  const at = `${event.at.toFixed(1).padStart(8)} ms  `
  if (event.type === 'run ended') return `${at}${summaryOf(view, event.at)}`
  if (event.type !== 'step started' && event.type !== 'step ended') return undefined
  const width = Math.max(...view.rows.map(({ name }) => name.length))
  const row = view.rows[event.step] as Row
  const name = row.name.padEnd(width)
  return event.type === 'step started' ? `${at}${name}  started` : `${at}${name}  ${row.state}${endOf(row)}`
}

function endOf(row: Row): string {
  const { start = 0, end = 0, attempts, state } = row
  const calls = callsOf(row)
  const numbers =
    `${(end - start).toFixed(1)} ms, ${attempts} ` +
    `${attempts === 1 ? 'attempt' : 'attempts'}${calls === '' ? '' : `, ${calls} calls`}`
  return ` after ${numbers}${isLost(row) && state !== 'cancelled' ? reasonOf(row) : ''}`
}

/** Returns the state of a run in one line. */
export function summaryOf({ rows, outcome }: RunView, now: number): string {
  if (outcome === undefined) return `running, ${Math.round(now)} ms`
  const ms = `${outcome.at.toFixed(1)} ms`
  if (outcome.code === 'CANCELLED') return `cancelled after ${ms}`
  if (outcome.code !== undefined) return `failed after ${ms}: ${outcome.code}`
  return rows.some(isLost) ? `not complete, in ${ms}` : `complete, in ${ms}`
}

/** Returns a line with the code and its text for each step that failed or is incomplete. */
export function lossesOf({ rows }: RunView): string[] {
  const width = Math.max(0, ...rows.filter(hasReason).map(({ name }) => name.length))
  return rows.filter(hasReason).map(row => `${row.name.padEnd(width)}  ${row.state}${reasonOf(row)}`)
}

/** A cancelled step has no reason of its own. */
function hasReason(row: Row): boolean {
  return isLost(row) && row.state !== 'waiting' && row.state !== 'running' && row.state !== 'cancelled'
}

/** Returns a colon and the reason why a step failed or is incomplete, or an empty text if no reason is known. */
export function reasonOf({ code, status, tally, kind, why }: Row): string {
  const failed = tally?.failed ?? []
  if (failed.length > 0) {
    const kinds = [...Map.groupBy(failed, loss => textOf(loss.code, loss.status))]
    return (
      `: ${failed.length} of ${tally?.calls} calls lost, ` +
      `${kinds.map(([text, losses]) => `${losses.length > 1 ? `${losses.length} × ` : ''}${text}`).join('; ')}`
    )
  }
  if (code === undefined) return ''
  const isOneCall = kind === 'required' || kind === 'optional'
  const because = isOneCall && why !== undefined ? `: ${printable(why)}` : ''
  return `: ${textOf(code, isOneCall ? status : undefined)}${because}`
}

function textOf(code: string, status: number | undefined): string {
  const text = Object.hasOwn(errors, code) ? errors[code as ErrorCode].text : 'failed'
  return `${code}${status === undefined ? '' : ` (${status})`}, ${text}`
}
