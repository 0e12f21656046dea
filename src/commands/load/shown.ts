import { liveView } from '../run/live-view.ts'
import { isTerminal, terminalCapabilities } from '../run/terminal-capabilities.ts'
import { plainSecond } from './plain-second.ts'
import type { Progress } from './progress.ts'
import { screenOf } from './screen.ts'

/** Shows on stderr how a run goes. */
export interface Shown {
  /** A second is over. */
  second(): void
  end(): void
}

/** Often enough for what is in flight, and seldom enough not to be seen in the figures. */
const frameMs = 250

/** Draws on a terminal; elsewhere each second is a line, and nothing is said when only the result is wanted. */
export function show(progress: () => Progress, isQuiet: boolean): Shown {
  if (isQuiet) return { second() {}, end() {} }
  if (!isTerminal())
    return {
      second() {
        process.stderr.write(`${plainSecond(progress())}\n`)
      },
      end() {},
    }
  const look = terminalCapabilities()
  const view = liveView(process.stderr, columns => screenOf(progress(), columns, look), frameMs)
  return {
    second() {},
    end() {
      view.end()
      process.stderr.write('\n')
    },
  }
}
