import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import type { ListeningProcess } from '../../lib/child.ts'
import type { CompletedRequest } from '../../lib/http-caller.ts'
import { figuresOf, type OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { startServe } from '../start-serve.ts'

/** The load of a window. */
export interface WindowLoad {
  readonly perSecond: number
  readonly seconds: number
}

/** Replicas of the service that receive requests in turn. */
export interface ReplicaGroup {
  /** Sends requests with keys that no request had before, so that the upstream is called for each. */
  measure(load: WindowLoad): Promise<OpenLoopFigures>
  /** Sends one request to the next live replica. Returns the status, or 0 without a reply. */
  send(): Promise<number>
  /** Kills the last live replica. It gets no request any more. */
  kill(): void
  /** Resolves when each replica uses Redis. */
  whenAvailable(): Promise<void>
  close(): Promise<void>
}

const availableWithinMs = 30_000
let keys = 0

/** Starts replicas on core 1. */
export async function startReplicaGroup(
  name: string,
  count: number,
  variables: Readonly<Record<string, string>>,
): Promise<ReplicaGroup> {
  const definitions = new URL('./definitions.ts', import.meta.url)
  const environment = { HEADWATERS_ENV: 'development', ...variables }
  const replicas: ListeningProcess[] = []
  // One after the other: they share a core.
  for (let index = 0; index < count; index++)
    replicas.push(await startServe(`${name} ${index}`, definitions, environment))
  const origins = replicas.map(({ port }) => `http://127.0.0.1:${port}`)
  const dispatcher = new Agent({ connections: 1024 })

  async function send(): Promise<number> {
    const key = ++keys
    try {
      const { statusCode, body } = await request(`${origins[key % origins.length]}/leaf/${key}`, { dispatcher })
      await body.dump()
      return statusCode
    } catch {
      return 0
    }
  }

  async function isAvailable(origin: string): Promise<boolean> {
    const { body } = await request(`${origin}/metrics`, { dispatcher })
    return /^headwaters_shared_store_available 1$/m.test(await body.text())
  }

  return {
    async measure({ perSecond, seconds }) {
      const completed: CompletedRequest[] = []
      const startedAt = performance.now()
      await openLoop({
        perSecond,
        seconds,
        async send(_index, dueAt) {
          completed.push({ status: await send(), dueAt, endedAt: performance.now() })
        },
      })
      return figuresOf(completed, startedAt, seconds)
    },
    send,
    kill() {
      origins.pop()
      process.kill((replicas[origins.length] as ListeningProcess).pid, 'SIGKILL')
    },
    async whenAvailable() {
      const giveUpAt = performance.now() + availableWithinMs
      for (const origin of origins)
        while (!(await isAvailable(origin))) {
          if (performance.now() > giveUpAt)
            throw new Error(`${name}: Redis is not used within ${availableWithinMs} ms after a fault`)
          await pause(100)
        }
    },
    async close() {
      await dispatcher.destroy()
      await Promise.all(replicas.map(replica => replica.stop()))
    },
  }
}
