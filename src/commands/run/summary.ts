import { errors, type ErrorCode } from '../../errors.ts'
import { isLost, type RunView, type Row } from './run-view.ts'

/** How a run stands, in one line. */
export function summaryOf({ rows, over }: RunView, now: number): string {
  if (over === undefined) return `running, ${Math.round(now)} ms`
  const ms = `${over.at.toFixed(1)} ms`
  if (over.code === 'CANCELLED') return `cancelled after ${ms}`
  if (over.code !== undefined) return `failed after ${ms}: ${over.code}`
  return rows.some(isLost) ? `not complete, in ${ms}` : `complete, in ${ms}`
}

/** One line for each step that has no value of its own, with the code and its words. */
export function lossesOf({ rows }: RunView): string[] {
  const width = Math.max(0, ...rows.filter(isTold).map(({ name }) => name.length))
  return rows.filter(isTold).map(row => `${row.name.padEnd(width)}  ${row.state}${reasonOf(row)}`)
}

/** What was cancelled has no reason of its own. */
function isTold(row: Row): boolean {
  return isLost(row) && row.state !== 'waiting' && row.state !== 'running' && row.state !== 'cancelled'
}

/** Why a step has no value of its own, or not all of it, with a colon before it; nothing where nothing is known. */
export function reasonOf({ code, status, tally, kind }: Row): string {
  const failed = tally?.failed ?? []
  if (failed.length > 0) {
    const kinds = [...Map.groupBy(failed, loss => wordsOf(loss.code, loss.status))]
    return `: ${failed.length} of ${tally?.calls} calls lost, ${kinds.map(([words, losses]) => `${losses.length > 1 ? `${losses.length} × ` : ''}${words}`).join('; ')}`
  }
  return code === undefined ? '' : `: ${wordsOf(code, kind === 'required' || kind === 'optional' ? status : undefined)}`
}

function wordsOf(code: string, status: number | undefined): string {
  const words = Object.hasOwn(errors, code) ? errors[code as ErrorCode].text : 'failed'
  return `${code}${status === undefined ? '' : ` (${status})`}, ${words}`
}
