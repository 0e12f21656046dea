import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Child {
  readonly name: string
  readonly port: number
  /** Sends a message and gives the next one that comes back; one question at a time. */
  ask<Reply>(question: object): Promise<Reply>
  /** Ends the process. */
  stop(): Promise<void>
}

const startMs = 15_000
const running = new Set<ChildProcess>()

/** Whether processes can be kept apart, each on a core of its own. */
export const pinned = [0, 1].every(core => spawnSync('taskset', ['-c', String(core), 'true']).status === 0)

/** Starts a file of this folder as a process on one core or on any, and resolves when it listens. */
export async function startChild (name: string, file: string, argv: readonly string[], core: 0 | 1 | 'any'): Promise<Child> {
  const command = [process.execPath, join(import.meta.dirname, `${file}.ts`), ...argv]
  if (pinned && core !== 'any') command.unshift('taskset', '-c', String(core))
  const [program = '', ...rest] = command
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  running.add(child)

  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => { stderr = (stderr + chunk.toString()).slice(-8000) })

  function nextMessage<Reply> (): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown) => {
        child.off('close', onClose)
        resolve(message as Reply)
      }
      const onClose = (code: number | null, signal: string | null) => {
        child.off('message', onMessage)
        reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}${stderr && `:\n${stderr}`}`))
      }
      child.once('message', onMessage)
      child.once('close', onClose)
    })
  }

  const giveUp = setTimeout(() => {
    stderr += `\nnot listening after ${startMs} ms`
    child.kill('SIGKILL')
  }, startMs)
  try {
    const { port } = await nextMessage<{ port: number }>()
    return {
      name,
      port,
      ask<Reply> (question: object) {
        const reply = nextMessage<Reply>()
        if (child.connected) child.send(question)
        return reply
      },
      async stop () {
        running.delete(child)
        if (child.exitCode !== null || child.signalCode !== null) return
        const closed = once(child, 'close')
        child.kill('SIGKILL')
        await closed
      },
    }
  } finally {
    clearTimeout(giveUp)
  }
}

/** Ends every process that `startChild` has started. */
export function stopChildren () {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}
