import type { Worker } from 'node:cluster'
import { Answers } from './answers.ts'
import { marked, readToWorker } from './read-message.ts'
import type { CountRequest, RateCount } from '../../http/guard/shared-rate-store.ts'
import { MetricsChannel } from './metrics-channel.ts'
import { OverviewChannel } from './overview-channel.ts'
import { heartbeats, type Failure, type FromWorker, type StopMode, type WorkerAssignment } from './messages.ts'

/** A worker's channel to its primary. */
export interface Channel {
  /** Reports that the worker listens. */
  readonly listening: (port: number, drainMs: number) => void
  /** Reports why the worker cannot listen. The primary then kills the worker. */
  readonly failed: (error: unknown) => void
  /** Counts a request in the primary, which counts the requests of all workers. */
  readonly count: CountRequest
  /** Returns the number of log lines that all processes of the service have lost, as the primary last reported it. */
  readonly lostLogLines: () => number
  /** The metrics of this worker and of the service. */
  readonly metrics: MetricsChannel
  /** The answers of this worker to the questions of the primary. */
  readonly answers: Answers
  /** The samples of this worker for the dashboard. */
  readonly overview: OverviewChannel
}

/** Time between two reports of the number of lost lines, in ms. */
const reportEvery = 1000

export interface ChannelOptions extends Pick<WorkerAssignment, 'mark' | 'heartbeatMs'> {
  /** Called when the primary stops this worker, and when the channel to the primary closes. */
  readonly stop: (mode: StopMode) => void
  /** Returns the number of log lines that this process has lost. */
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
  const written = (message: FromWorker) =>
    new Promise<void>(resolve => {
      worker.process.send?.(marked(message, mark), () => resolve())
    })
  const metrics = new MetricsChannel(written)
  const answers = new Answers(send)
  const overview = new OverviewChannel(written)
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
    if (message.kind === 'ask') return void answers.handle(message)
    if (message.kind === 'watch') return overview.handle(message)
    if (message.kind !== 'counted') return metrics.handle(message)
    counting.get(message.id)?.(message)
    counting.delete(message.id)
  })
  worker.on('disconnect', () => {
    clearInterval(timer)
    metrics.close()
    overview.close()
    if (!isListening) return
    // Without this, Node.js ends the process at once when the channel closes. A worker that does not listen yet should
    // end, so it is set only for a worker that listens.
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
    metrics,
    answers,
    overview,
    failed: error => send({ kind: 'failed', failure: failureOf(error) }),
    count: (client, calls = 1) =>
      new Promise(resolve => {
        if (!worker.isConnected()) return resolve(uncounted)
        counting.set(counts, resolve)
        send({ kind: 'count', id: counts++, client, calls })
      }),
  }
}

/**
 * The count of a request after the primary has exited. It refuses nothing: the worker completes its requests and stops.
 */
const uncounted: RateCount = { current: 0, ttl: 0 }

/**
 * Returns an error in the form that the primary accepts. Definitions can throw any value: its fields may have other
 * types, or reading them may throw.
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
