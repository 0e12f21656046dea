import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { childEnvironment } from './child-environment.ts'
import { quietPort } from './quiet-port.ts'
import { untilEvent, within } from './until.ts'

const root = join(import.meta.dirname, '../..')

export type Environment = Readonly<Record<string, string>>

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ProcessOptions {
  /** How many files it may have open. */
  readonly files?: number
  /** Arguments of Node.js itself. */
  readonly node?: readonly string[]
  /** Whether signals go to it and all its processes, as a terminal sends them. */
  readonly isGroup?: boolean
  /** A file or named pipe that is its stdout. @default a socket, which is what Node.js gives a child */
  readonly stdout?: string
  /** The program, from the root of the checkout. @default src/cli.ts */
  readonly program?: string
}

/** Starts the command as a user does, with nothing of this process's environment but the path. */
function start(
  t: Test,
  args: readonly string[],
  environment: Environment,
  { files, node = [], isGroup = false, stdout, program = 'src/cli.ts' }: ProcessOptions = {},
) {
  const limit = files === undefined ? '' : `ulimit -n ${files} && `
  const child = spawn(
    'sh',
    [
      '-c',
      `${limit}exec "$0" "$@"${stdout === undefined ? '' : ` > '${stdout}'`}`,
      process.execPath,
      ...node,
      program,
      ...args,
    ],
    {
      detached: isGroup,
      cwd: root,
      env: { ...childEnvironment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = once(child, 'close').then(([code, signal]): Ending => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const exited = once(child, 'exit').then(([code, signal]): Ending => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, exited, errors: text(child.stderr) }
}

/** Runs the command to its end. */
export async function runCommand(t: Test, args: readonly string[], environment: Environment = {}) {
  const { child, ended, errors } = start(t, args, environment)
  const output = text(child.stdout)
  const { code } = await ended
  return { code, output: await output, errors: await errors }
}

/** One line of the log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** Starts the service on a free port; it is there when a line says where. */
export async function startService(
  t: Test,
  environment: Environment = {},
  args: readonly string[] = ['serve'],
  options: ProcessOptions = {},
) {
  const { child, ended, exited, errors } = start(t, args, { HOST: '127.0.0.1', PORT: '0', ...environment }, options)
  const log: LogLine[] = []
  const lines = createInterface(options.stdout === undefined ? child.stdout : createReadStream(options.stdout))
  lines.on('line', line => {
    log.push(JSON.parse(line) as LogLine)
  })

  /** The first lines of the log, from now on or from before, whose message has these words; as many as asked for. */
  async function saidTimes(words: string, times: number): Promise<LogLine[]> {
    const found = () => log.filter(({ msg }) => msg.includes(words)).slice(0, times)
    const isSaid = () => found().length === times
    const end = ended.then(async ({ code }) => {
      if (!isSaid())
        throw new Error(`the service ended (${code}) and did not say '${words}' ${times} times: ${await errors}`)
    })
    await Promise.race([
      untilEvent(lines, 'line', isSaid, { withinMs: 90_000, seen: () => `'${words}' is not said` }),
      end,
    ])
    return found()
  }

  /** The first of them. */
  async function said(words: string): Promise<LogLine> {
    const [line] = await saidTimes(words, 1)
    return line as LogLine
  }

  const address = await said('Server listening at')
  const [, port = ''] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(address.msg) ?? []
  if (port === '') throw new Error(`the line of the log names no port: ${address.msg}`)
  return {
    port: Number(port),
    origin: `http://127.0.0.1:${port}`,
    log,
    said,
    saidTimes,
    ended,
    exited,
    errors,
    pid: child.pid as number,
    readLog: (isRead: boolean) => (isRead ? lines.resume() : lines.pause()),
    closeLog: () => child.stdout.destroy(),
    stop: (signal: NodeJS.Signals) =>
      options.isGroup ? process.kill(-(child.pid as number), signal) : child.kill(signal),
  }
}

/**
 * How often a service that says nothing is asked whether it is there, and how long each time waits for the next, in ms.
 */
const mostTries = 600
const betweenTries = 50

/** Starts the service with a stdout that shows nothing; it is there when it answers. */
export async function startMuteService(
  t: Test,
  stdout: string,
  environment: Environment = {},
  args: readonly string[] = ['serve'],
) {
  const port = await quietPort()
  const { child, ended, errors } = start(t, args, { HOST: '127.0.0.1', PORT: String(port), ...environment }, { stdout })
  const origin = `http://127.0.0.1:${port}`
  let isThere = false
  for (let tries = 0; !isThere && tries < mostTries; tries++) {
    isThere = await fetch(`${origin}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (!isThere && (await within(betweenTries, ended)) !== undefined)
      throw new Error(`the service ended: ${await errors}`)
  }
  if (!isThere) throw new Error('the service does not answer')
  return { origin, port, ended, errors, pid: child.pid as number, stop: (signal: NodeJS.Signals) => child.kill(signal) }
}
