import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

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
}

/** Starts the command as a user does, with nothing of this process's environment but the path. */
function start (t: Test, args: readonly string[], environment: Environment, { files, node = [], isGroup = false }: ProcessOptions = {}) {
  const limit = files === undefined ? '' : `ulimit -n ${files} && `
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...node, 'src/cli.ts', ...args], { detached: isGroup, cwd: root, env: { PATH: process.env['PATH'] ?? '', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close').then(([code, signal]): Ending => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, errors: text(child.stderr) }
}

/** Runs the command to its end. */
export async function runCommand (t: Test, args: readonly string[], environment: Environment = {}) {
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

/** Starts the service on a free port; it is there when its first line says where. */
export async function startService (t: Test, environment: Environment = {}, args: readonly string[] = ['serve'], options: ProcessOptions = {}) {
  const { child, ended, errors } = start(t, args, { HOST: '127.0.0.1', PORT: '0', ...environment }, options)
  const log: LogLine[] = []
  const lines = createInterface(child.stdout)
  lines.on('line', line => { log.push(JSON.parse(line) as LogLine) })

  /** The first lines of the log, from now on or from before, whose message has these words; as many as asked for. */
  async function saidTimes (words: string, times: number): Promise<LogLine[]> {
    const found = () => log.filter(({ msg }) => msg.includes(words)).slice(0, times)
    for (;;) {
      if (found().length === times) return found()
      const next = await Promise.race([once(lines, 'line'), ended])
      if (!Array.isArray(next) && found().length < times) throw new Error(`the service ended (${next.code}) and did not say '${words}' ${times} times: ${await errors}`)
    }
  }

  /** The first of them. */
  async function said (words: string): Promise<LogLine> {
    const [line] = await saidTimes(words, 1)
    return line as LogLine
  }

  await Promise.race([once(lines, 'line'), ended])
  const [, port = ''] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(log[0]?.msg ?? '') ?? []
  if (port === '') throw new Error(`the first line of the log names no port: ${JSON.stringify(log[0])} ${log[0] === undefined ? await errors : ''}`)
  return { port: Number(port), origin: `http://127.0.0.1:${port}`, log, said, saidTimes, ended, errors, pid: child.pid as number, stop: (signal: NodeJS.Signals) => options.isGroup ? process.kill(-(child.pid as number), signal) : child.kill(signal) }
}
