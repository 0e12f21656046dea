import { Problem } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { RunEvent } from '../../fanout/events.ts'
import { fanOut } from '../../fanout/fan-out.ts'
import type { RawInput } from '../../fanout/input.ts'
import type { Reply } from '../../fanout/reply.ts'
import { createRuntime, type Override, type RuntimeOptions } from '../../upstream/runtime.ts'
import { createRunView, applyEvent, type RunView } from './run-view.ts'
import { liveView } from './live-view.ts'
import { isTerminal, terminalCapabilities } from './terminal-capabilities.ts'
import { lossesOf, plainLine } from './run-text.ts'
import { cut, waterfall } from './waterfall.ts'

export interface WatchedRunOptions {
  readonly overrides: Readonly<Record<string, Override>>
  readonly environment: NonNullable<RuntimeOptions['environment']>
  readonly deadline: number | undefined
  /** If true, the progress of the run is not shown. */
  readonly isQuiet: boolean
  /** Prints the reply. On a terminal, the drawing of the run comes after it, so that a long reply does not hide it. */
  readonly print: (reply: Reply<unknown, string>) => void
}

/** The end of a run: a reply, an error, or an interruption. */
export interface RunResult {
  readonly reply?: Reply<unknown, string>
  readonly error?: unknown
  readonly signal?: NodeJS.Signals
}

/**
 * Runs an aggregate and shows its progress on stderr. SIGINT or SIGTERM cancels the run. A second signal exits the
 * process with code 130.
 */
export async function watchedRun(
  aggregate: AnyAggregate,
  input: RawInput,
  { overrides, environment, deadline, isQuiet, print }: WatchedRunOptions,
): Promise<RunResult> {
  const runtime = createRuntime({ overrides, environment })
  const view = createRunView(aggregate, deadline)
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
  let result: RunResult
  try {
    const onEvent = (event: RunEvent) => {
      applyEvent(view, event)
      display.onEvent(event)
    }
    result = { reply: await fanOut(aggregate, input, { runtime, deadline, signal: caller.signal, onEvent }) }
  } catch (error) {
    result = signal === undefined || error instanceof Problem ? { error } : { signal }
  }
  if (signal !== undefined) result = { signal }
  const { reply } = result
  display.end(() => {
    if (reply !== undefined) print(reply)
  })
  await runtime.close()
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  return result
}

interface Display {
  readonly onEvent: (event: RunEvent) => void
  /** Shows the end of the run. Calls `print`, which prints the reply if the run has a reply. */
  readonly end: (print: () => void) => void
}

function quiet(): Display {
  return { onEvent() {}, end: print => print() }
}

function plain(view: RunView): Display {
  return {
    onEvent(event) {
      const line = plainLine(view, event)
      if (line !== undefined) process.stderr.write(`${line}\n`)
    },
    end: print => print(),
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
    end(print) {
      live.remove()
      print()
      const { columns } = stderr
      // The last column stays empty, as in the waterfall.
      const losses = lossesOf(view).map(line => cut(`  ${line}`, columns - 1, capabilities.unicode))
      stderr.write(`\n${[...draw(columns), ...losses].join('\n')}\n`)
    },
  }
}
