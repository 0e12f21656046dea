import type { RunEvent } from '../../fanout/events.ts'
import { callsOf, isLost, type RunView, type Row } from './run-view.ts'
import { reasonOf, summaryOf } from './summary.ts'

/** What one event is worth saying where there is no terminal: that a step started or ended, or that the run did. */
export function plainLine(board: RunView, event: RunEvent): string | undefined {
  const at = `${event.at.toFixed(1).padStart(8)} ms  `
  if (event.type === 'run ended') return `${at}${summaryOf(board, event.at)}`
  if (event.type !== 'step started' && event.type !== 'step ended') return undefined
  const width = Math.max(...board.rows.map(({ name }) => name.length))
  const row = board.rows[event.step] as Row
  const name = row.name.padEnd(width)
  return event.type === 'step started' ? `${at}${name}  started` : `${at}${name}  ${row.state}${endOf(row)}`
}

function endOf(row: Row): string {
  const { start = 0, end = 0, attempts, state } = row
  const calls = callsOf(row)
  const numbers = `${(end - start).toFixed(1)} ms, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${calls === '' ? '' : `, ${calls} calls`}`
  return ` after ${numbers}${isLost(row) && state !== 'cancelled' ? reasonOf(row) : ''}`
}
