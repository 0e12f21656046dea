import { liveView } from '../run/live-view.ts'
import { isTerminal, terminalCapabilities } from '../run/terminal-capabilities.ts'
import { formatCounts, formatMs } from './format.ts'
import { drawScreen, phaseOf, type Progress } from './live-screen.ts'

/** Shows the progress of a load test on stderr. */
export interface ProgressDisplay {
  /** Called at the end of each second. */
  onSecond(): void
  end(): void
}

/** Time between frames. More frames would disturb the measurement. Fewer frames would hide short changes. */
const frameMs = 250

/** Draws on a terminal, and prints one line per second to any other output. Shows nothing if `isQuiet` is true. */
export function startProgressDisplay(progress: () => Progress, isQuiet: boolean): ProgressDisplay {
  if (isQuiet) return { onSecond() {}, end() {} }
  if (!isTerminal())
    return {
      onSecond() {
        process.stderr.write(`${progressLine(progress())}\n`)
      },
      end() {},
    }
  const capabilities = terminalCapabilities()
  const view = liveView(process.stderr, columns => drawScreen(progress(), columns, capabilities), frameMs)
  return {
    onSecond() {},
    end() {
      view.end()
      process.stderr.write('\n')
    },
  }
}

/** Formats the last second as one line. */
function progressLine(progress: Progress): string {
  const { metrics, elapsedMs, inFlight, waiting, lastSecond } = progress
  if (lastSecond === undefined) return ''
  const phase = phaseOf(progress)
  return [
    `${(elapsedMs / 1000).toFixed(0).padStart(5)} s`,
    ...(phase === 'counting' ? [] : [phase]),
    `sent ${lastSecond.sent}`,
    `answered ${lastSecond.answered}`,
    `in flight ${inFlight}`,
    `waiting ${waiting}`,
    `p50 ${formatMs(lastSecond.p50Ms)}  p99 ${formatMs(lastSecond.p99Ms)}  max ${formatMs(lastSecond.maxMs)} ms`,
    ...(metrics.statuses.size === 0 ? [] : [formatCounts(metrics.statuses)]),
    ...(metrics.errors.size === 0 ? [] : [formatCounts(metrics.errors)]),
  ].join('  ')
}
