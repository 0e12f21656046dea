import type { BulkRun } from '../../bulk/bulk-run.ts'
import type { ResultCounts } from '../../bulk/result-chunk.ts'
import { liveView } from '../run/live-view.ts'
import { isTerminal, terminalCapabilities } from '../run/terminal-capabilities.ts'
import { barLine, progressLine, type Progress } from './progress-text.ts'

/** Shows the progress of a run on stderr. */
export interface ProgressDisplay {
  /** Adds results. */
  add(counts: ResultCounts): void
  /** Prints a line. */
  note(text: string): void
  /** Shows the last progress. `isWhole` is true if the run has ended. */
  end(isWhole: boolean): void
}

/** The time between two frames on a terminal, and between two lines, in ms. */
const frameMs = 200
const lineMs = 5000

/**
 * Draws a bar on a terminal, and prints a line every few seconds to any other output.
 *
 * @param earlier The results of an earlier start of the same command.
 */
export function showProgress({ items }: Pick<BulkRun, 'items'>, earlier: ResultCounts): ProgressDisplay {
  const startedAt = performance.now()
  let counts = earlier
  const now = (): Progress => ({ items, earlier, counts, ms: performance.now() - startedAt })
  const add = (more: ResultCounts) => {
    counts = {
      succeeded: counts.succeeded + more.succeeded,
      partial: counts.partial + more.partial,
      failed: counts.failed + more.failed,
    }
  }
  const print = (line: string) => process.stderr.write(`${line}\n`)
  if (isTerminal()) {
    const capabilities = terminalCapabilities()
    const view = liveView(process.stderr, columns => [barLine(now(), columns, capabilities)], frameMs)
    return { add, note: text => view.above(() => print(text)), end: view.end }
  }
  print(progressLine(now()))
  const timer = setInterval(() => print(progressLine(now())), lineMs)
  return {
    add,
    note: print,
    end() {
      clearInterval(timer)
      print(progressLine(now()))
    },
  }
}
