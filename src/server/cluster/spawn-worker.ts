import cluster from 'node:cluster'
import type { RateCount } from '../../http/guard/shared-rate-store.ts'
import type { HandOver } from './hand-over.ts'
import { watchHeartbeats } from './heartbeats.ts'
import { taskVariable, type Failure, type Leave, type Task, type ToWorker } from './messages.ts'
import { marked, readFromWorker } from './read-message.ts'
import { lingerMs } from './retire.ts'

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One worker process, seen from the primary. */
export interface Hired {
  /** From 1 up to the number of workers. */
  readonly number: number
  readonly pid: number | undefined
  /** Resolves with its port once it listens; rejects when it cannot, or ends before. */
  readonly listening: Promise<number>
  readonly ended: Promise<Ending>
  /** Lets it end as it is told, and kills it when it has not within its time. */
  leave(how: Leave): Promise<Ending>
  kill(): void
  /** Lines of the log that it has lost. */
  readonly lostLogLines: number
  /** Says how many lines of the log all processes have lost. */
  tellLost(lines: number): void
}

export interface HireOptions {
  /** Variables that it is not to inherit. */
  readonly withheld: readonly string[]
  readonly count: (client: string) => RateCount
  /** Connections on their way to workers. */
  readonly handOver: HandOver
  /** Called when the worker has sent no heartbeat for its time, before it is killed. */
  readonly onSilent: (pid: number | undefined) => void
}

/**
 * So long after its time for draining a worker is waited for, in ms; it ends itself within two seconds of it where it
 * can.
 */
export const lastWords = 3000

/** Starts a worker: this program once more, with the same arguments and a task. */
export function spawnWorker(task: Task, { withheld, count, handOver, onSilent }: HireOptions): Hired {
  cluster.schedulingPolicy = cluster.SCHED_RR
  const worker = cluster.fork({
    ...Object.fromEntries(withheld.map(name => [name, undefined])),
    [taskVariable]: JSON.stringify(task),
  })
  const started = Promise.withResolvers<number>()
  let drainMs = 0
  let timer: NodeJS.Timeout | undefined
  let lostLogLines = 0
  const kill = () => {
    worker.process.kill('SIGKILL')
  }
  const say = (message: ToWorker) => {
    worker.process.send(marked(message, task.mark), () => {})
  }
  const heartbeat = watchHeartbeats(task.heartbeatMs, () => {
    onSilent(worker.process.pid)
    kill()
  })
  handOver(worker)

  worker.on('message', (value: unknown) => {
    const message = readFromWorker(value, task.mark)
    switch (message?.kind) {
      case 'alive':
        return heartbeat.came()
      case 'listening':
        ;({ drainMs } = message)
        heartbeat.started()
        return started.resolve(message.port)
      case 'failed':
        started.reject(errorOf(message.failure))
        return kill()
      case 'count':
        return say({ kind: 'counted', id: message.id, ...count(message.client) })
      case 'lost':
        ;({ lines: lostLogLines } = message)
        return
      case undefined:
    }
  })
  const ended = new Promise<Ending>(resolve => {
    worker.once('exit', (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }))
    worker.on('error', error => {
      // A message that could not be sent is an error too, of a process that may go on.
      if (worker.process.pid !== undefined) return
      started.reject(error)
      resolve({ code: null, signal: null })
    })
  })
  void ended.then(({ code, signal }) => {
    clearTimeout(timer)
    heartbeat.end()
    started.reject(new Error(`worker ${task.index + 1} ended with ${signal ?? `exit code ${code}`} before it listened`))
  })
  // Nobody may be waiting for these any more.
  started.promise.catch(() => {})

  return {
    number: task.index + 1,
    pid: worker.process.pid,
    listening: started.promise,
    ended,
    leave(how) {
      say({ kind: 'leave', how })
      clearTimeout(timer)
      heartbeat.end()
      timer = setTimeout(kill, drainMs + (how === 'retire' ? lingerMs : 0) + lastWords)
      return ended
    },
    kill,
    get lostLogLines() {
      return lostLogLines
    },
    tellLost: lines => say({ kind: 'lost', lines }),
  }
}

function errorOf({ name, message, stack, code }: Failure): Error {
  return Object.assign(new Error(message), {
    name,
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
  })
}
