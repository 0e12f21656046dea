import { countsText, msText } from './figures.ts'
import { phaseOf, type Progress } from './progress.ts'

/** What one second is worth saying where there is no terminal. */
export function plainSecond(progress: Progress): string {
  const { tally, elapsedMs, inFlight, waiting, second } = progress
  if (second === undefined) return ''
  const phase = phaseOf(progress)
  return [
    `${(elapsedMs / 1000).toFixed(0).padStart(5)} s`,
    ...(phase === 'counting' ? [] : [phase]),
    `sent ${second.sent}`,
    `answered ${second.answered}`,
    `in flight ${inFlight}`,
    `waiting ${waiting}`,
    `p50 ${msText(second.p50Ms)}  p99 ${msText(second.p99Ms)}  max ${msText(second.maxMs)} ms`,
    ...(tally.statuses.size === 0 ? [] : [countsText(tally.statuses)]),
    ...(tally.failures.size === 0 ? [] : [countsText(tally.failures)]),
  ].join('  ')
}
