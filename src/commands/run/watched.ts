import { Problem } from '../../errors.ts'
import type { RunEvent } from '../../fanout/events.ts'
import { createRuntime, type Override, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'
import { applyEvent, type RunView } from './run-view.ts'
import { liveView } from './live-view.ts'
import { isTerminal, terminalCapabilities } from './terminal-capabilities.ts'
import { lossesOf, plainLine, waitsOf } from './run-text.ts'
import { cut, waterfall } from './waterfall.ts'

export interface WatchOptions<R> {
  readonly overrides: Readonly<Record<string, Override>>
  readonly environment: NonNullable<RuntimeOptions['environment']>
  /** If true, the progress is not shown. */
  readonly isQuiet: boolean
  /** Prints the reply. On a terminal, the last drawing comes after it, so that a long reply does not hide it. */
  readonly print: (reply: R) => void
}

/** The parts of a run that its display needs. */
export interface WatchContext {
  readonly runtime: Runtime
  readonly signal: AbortSignal
  readonly onEvent: (event: RunEvent) => void
  /** Calls a function that writes lines to stdout or stderr while the run is in progress. */
  readonly printing: (write: () => void) => void
}

/** The end of a run: a reply, an error, or an interruption. */
export interface WatchedEnd<R> {
  readonly reply?: R
  readonly error?: unknown
  readonly signal?: NodeJS.Signals
}

/**
 * Starts a run with a runtime of its own and shows its progress on stderr. SIGINT or SIGTERM aborts the signal of the
 * run. A second signal exits the process with code 130.
 */
export async function watched<R>(
  view: RunView,
  { overrides, environment, isQuiet, print }: WatchOptions<R>,
  start: (context: WatchContext) => Promise<R>,
): Promise<WatchedEnd<R>> {
  const runtime = createRuntime({ overrides, environment })
  const caller = new AbortController()
  let signal: NodeJS.Signals | undefined
  const interrupt = (which: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(130)
    signal = which
    caller.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

  const show = isQuiet ? quiet : isTerminal() ? drawn : plain
  const display = show(view)
  let end: WatchedEnd<R>
  try {
    const onEvent = (event: RunEvent) => {
      applyEvent(view, event)
      display.onEvent(event)
    }
    end = { reply: await start({ runtime, signal: caller.signal, onEvent, printing: display.printing }) }
  } catch (error) {
    end = signal === undefined || error instanceof Problem ? { error } : { signal }
  }
  if (signal !== undefined) end = { signal }
  const { reply } = end
  display.end(() => {
    if (reply !== undefined) print(reply)
  })
  await runtime.close()
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  return end
}

interface Display {
  readonly onEvent: (event: RunEvent) => void
  readonly printing: (write: () => void) => void
  /** Shows the end of the run. Calls `print`, which prints the reply if the run has a reply. */
  readonly end: (print: () => void) => void
}

const write = (print: () => void) => print()

function quiet(): Display {
  return { onEvent() {}, printing: write, end: write }
}

function plain(view: RunView): Display {
  return {
    onEvent(event) {
      const line = plainLine(view, event)
      if (line !== undefined) process.stderr.write(`${line}\n`)
    },
    printing: write,
    end: write,
  }
}

function drawn(view: RunView): Display {
  const { stderr } = process
  const capabilities = terminalCapabilities()
  const startedAt = performance.now()
  const draw = (columns: number) =>
    waterfall(view, { ...capabilities, columns, now: view.outcome?.at ?? performance.now() - startedAt })
  const live = liveView(stderr, draw)
  return {
    onEvent() {},
    printing: live.above,
    end(print) {
      live.remove()
      print()
      const { columns } = stderr
      // The last column stays empty, as in the waterfall.
      const lines = [...lossesOf(view), ...waitsOf(view)]
      const reasons = lines.map(line => cut(`  ${line}`, columns - 1, capabilities.unicode))
      stderr.write(`\n${[...draw(columns), ...reasons].join('\n')}\n`)
    },
  }
}
