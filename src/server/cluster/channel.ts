import type { Worker } from 'node:cluster'
import { marked, readToWorker } from './read-message.ts'
import type { CountRequest, RateCount } from '../../http/guard/shared-rate-store.ts'
import { heartbeats, type Failure, type FromWorker, type StopMode, type WorkerAssignment } from './messages.ts'

/** A worker's channel to its primary. */
export interface Channel {
  /** Says that the worker listens. */
  readonly listening: (port: number, drainMs: number) => void
  /** Says why it cannot; the primary then ends it. */
  readonly failed: (error: unknown) => void
  /** Counts a request where all workers' requests are counted. */
  readonly count: CountRequest
  /** Returns how many lines of the log all processes of the service have lost, as far as this one knows. */
  readonly lostLogLines: () => number
}

/** Time between two reports of the lines that a worker has lost, in ms. */
const reportEvery = 1000

export interface ChannelOptions extends Pick<WorkerAssignment, 'mark' | 'heartbeatMs'> {
  /** Called when the primary stops this worker, and when the primary is gone. */
  readonly stop: (mode: StopMode) => void
  /** Returns how many lines of the log this process has lost. */
  readonly ownLostLogLines: () => number
}

/** Opens the channel, and sends heartbeats over it. */
export function openChannel(worker: Worker, { mark, heartbeatMs, stop, ownLostLogLines }: ChannelOptions): Channel {
  const counting = new Map<number, (counted: RateCount) => void>()
  let counts = 0
  let isListening = false
  let reported = 0
  let lostByAll = 0
  const send = (message: FromWorker) => {
    worker.process.send?.(marked(message, mark), () => {})
  }

  const timer =
    heartbeatMs > 0 ? setInterval(() => send({ kind: 'alive' }), heartbeatMs / heartbeats).unref() : undefined
  if (timer !== undefined) send({ kind: 'alive' })
  worker.on('message', (value: unknown) => {
    const message = readToWorker(value, mark)
    if (message === undefined) return
    if (message.kind === 'stop') return stop(message.mode)
    if (message.kind === 'lost') {
      lostByAll = message.lines
      return
    }
    counting.get(message.id)?.(message)
    counting.delete(message.id)
  })
  worker.on('disconnect', () => {
    clearInterval(timer)
    if (!isListening) return
    // Without this, Node.js ends the process at once. That is right for a worker that does not listen yet.
    worker.exitedAfterDisconnect = true
    for (const counted of counting.values()) counted(uncounted)
    stop('drain')
  })

  return {
    listening(port, drainMs) {
      isListening = true
      send({ kind: 'listening', port, drainMs })
      setInterval(() => {
        const lines = ownLostLogLines()
        if (lines !== reported) send({ kind: 'lost', lines })
        reported = lines
      }, reportEvery).unref()
    },
    lostLogLines: () => Math.max(lostByAll, ownLostLogLines()),
    failed: error => send({ kind: 'failed', failure: failureOf(error) }),
    count: client =>
      new Promise(resolve => {
        if (!worker.isConnected()) return resolve(uncounted)
        counting.set(counts, resolve)
        send({ kind: 'count', id: counts++, client })
      }),
  }
}

/** The count of a request while no primary counts: the worker serves the requests it has, and stops. */
const uncounted: RateCount = { current: 0, ttl: 0 }

/**
 * Returns an error as the primary accepts it; a module of definitions can throw a value whose fields are of other types
 * or cannot be read.
 */
function failureOf(error: unknown): Failure {
  try {
    const { name, message, stack, code } = (
      error instanceof Error ? error : new Error(String(error))
    ) as NodeJS.ErrnoException
    return {
      name: String(name),
      message: String(message),
      ...(stack !== undefined && { stack: String(stack) }),
      ...(code !== undefined && { code: String(code) }),
    }
  } catch {
    return { name: 'Error', message: 'the definitions threw a value that cannot be converted to text' }
  }
}
