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
import { plainLine } from './plain-line.ts'
import { lossesOf } from './summary.ts'
import { waterfall } from './waterfall.ts'

export interface WatchedRunOptions {
  readonly overrides: Readonly<Record<string, Override>>
  readonly environment: NonNullable<RuntimeOptions['environment']>
  readonly deadline: number | undefined
  /** Shows nothing. */
  readonly isQuiet: boolean
}

/** How a run ended: with a reply, by an error, or because it was interrupted. */
export interface RunResult {
  readonly reply?: Reply<unknown, string>
  readonly error?: unknown
  readonly signal?: NodeJS.Signals
}

/** Runs an aggregate and shows it on stderr as it goes; SIGINT and SIGTERM cancel it, a second one ends the process. */
export async function watchedRun(
  aggregate: AnyAggregate,
  input: RawInput,
  { overrides, environment, deadline, isQuiet }: WatchedRunOptions,
): Promise<RunResult> {
  const runtime = createRuntime({ overrides, environment })
  const board = createRunView(aggregate, deadline)
  const caller = new AbortController()
  let signal: NodeJS.Signals | undefined
  const interrupt = (which: NodeJS.Signals) => {
    if (signal !== undefined) process.exit(130)
    signal = which
    caller.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)

  const show = isQuiet ? quiet : isTerminal() ? drawn : plain
  const { told, end } = show(board)
  let ended: RunResult
  try {
    const onEvent = (event: RunEvent) => {
      applyEvent(board, event)
      told(event)
    }
    ended = { reply: await fanOut(aggregate, input, { runtime, deadline, signal: caller.signal, onEvent }) }
  } catch (error) {
    ended = signal === undefined || error instanceof Problem ? { error } : { signal }
  }
  end()
  await runtime.close()
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  return signal === undefined ? ended : { signal }
}

interface Shown {
  readonly told: (event: RunEvent) => void
  readonly end: () => void
}

function quiet(): Shown {
  return { told() {}, end() {} }
}

function plain(board: RunView): Shown {
  return {
    told(event) {
      const line = plainLine(board, event)
      if (line !== undefined) process.stderr.write(`${line}\n`)
    },
    end() {},
  }
}

function drawn(board: RunView): Shown {
  const { stderr } = process
  const look = terminalCapabilities()
  const startedAt = performance.now()
  const view = liveView(stderr, columns =>
    waterfall(board, { ...look, columns, now: board.over?.at ?? performance.now() - startedAt }),
  )
  return {
    told() {},
    end() {
      view.end()
      stderr.write(
        `${lossesOf(board)
          .map(line => `  ${line}\n`)
          .join('')}\n`,
      )
    },
  }
}
