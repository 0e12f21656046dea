import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess, StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process that listens on a port. */
export interface ListeningProcess {
  readonly name: string
  readonly pid: number
  readonly port: number
  /** Ends the process. */
  stop(): Promise<void>
}

/** A process of Node that listens on a port and answers messages. */
export interface ChildServer extends ListeningProcess {
  /** Rejects when the process ends. The error message contains its stderr. */
  readonly ended: Promise<never>
  /** Sends a message and resolves with the next message from the process. Allows one request at a time. */
  request<Reply>(message: object): Promise<Reply>
}

type CpuCore = 0 | 1 | 'any'

const startMs = 15_000
const running = new Set<ChildProcess>()

/** True if each process can be pinned to a separate core. */
export const pinned = [0, 1].every(core => spawnSync('taskset', ['-c', String(core), 'true']).status === 0)

/** Starts a module as a Node.js process, pinned to a core or not, and resolves when it listens. */
export async function startChild(
  name: string,
  module: URL,
  argv: readonly string[],
  core: CpuCore,
  flags: readonly string[] = [],
): Promise<ChildServer> {
  const { child, ended } = spawnOn(
    core,
    name,
    [process.execPath, ...flags, fileURLToPath(module), ...argv],
    ['ignore', 'ignore', 'pipe', 'ipc'],
  )
  const nextMessage = <Reply>() => Promise.race([once(child, 'message').then(([message]) => message as Reply), ended])

  const listening = await listens(name, child, ended, nextMessage<{ port: number }>())
  return {
    ...listening,
    ended,
    request<Reply>(message: object) {
      const reply = nextMessage<Reply>()
      if (child.connected) child.send(message)
      return reply
    },
  }
}

/**
 * Starts a program that is not a Node.js program on one core. The program must write `{"port":…}` as its first line,
 * and must exit when its stdin ends.
 */
export function startProgram(
  name: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  core: CpuCore,
): Promise<ListeningProcess> {
  const { child, ended } = spawnOn(core, name, command, ['pipe', 'pipe', 'pipe'], env)
  const firstLine = child.stdout ? once(createInterface(child.stdout), 'line') : ended
  return listens(
    name,
    child,
    ended,
    firstLine.then(([line]) => JSON.parse(line as string) as { port: number }),
  )
}

/** Ends every process that was started here. */
export function stopChildren() {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}

/** Spawns a command, pinned to a core or not. `ended` rejects when it ends; the error message contains its stderr. */
export function spawnOn(
  core: CpuCore,
  name: string,
  command: readonly string[],
  stdio: StdioOptions,
  env: NodeJS.ProcessEnv = process.env,
) {
  const [program = '', ...rest] = pinned && core !== 'any' ? ['taskset', '-c', String(core), ...command] : command
  const child = spawn(program, rest, { stdio, env })
  running.add(child)

  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-8000)
  })
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) =>
      reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}${stderr && `:\n${stderr}`}`)),
    )
  })
  // Without this handler, the rejection is unhandled when the caller does not wait for `ended`.
  ended.catch(() => {})
  return { child, ended }
}

/** Resolves when `port` resolves. Ends the process and rejects if the process does not listen within `startMs`. */
export async function listens(
  name: string,
  child: ChildProcess,
  ended: Promise<never>,
  port: Promise<{ port: number }>,
): Promise<ListeningProcess> {
  let late = false
  const giveUp = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, startMs)
  try {
    return {
      name,
      pid: child.pid ?? 0,
      ...(await Promise.race([port, ended])),
      async stop() {
        running.delete(child)
        if (child.exitCode !== null || child.signalCode !== null) return
        const closed = once(child, 'close')
        child.kill('SIGKILL')
        await closed
      },
    }
  } catch (error) {
    throw late ? new Error(`${name} did not listen within ${startMs} ms`, { cause: error }) : error
  } finally {
    clearTimeout(giveUp)
  }
}
