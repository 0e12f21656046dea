import cluster from 'node:cluster'
import { watchHeartbeats } from './heartbeats.ts'
import {
  assignmentVariable,
  type Failure,
  type OverviewMessage,
  type ToWorker,
  type WorkerAssignment,
} from './messages.ts'
import { Questions } from './questions.ts'
import { marked, readFromWorker } from './read-message.ts'
import type { TrackWorker } from './redispatch.ts'
import { sendRendered } from './send-rendered.ts'
import { SeriesRequest } from './series-request.ts'
import type { SeriesChunk } from '../../metrics/chunks.ts'
import type { MetricsFormat } from '../../metrics/format.ts'
import type { RateCount } from '../../http/guard/shared-rate-store.ts'
import type { WorkerExit, WorkerProcess } from './worker-process.ts'
import { WorkerState } from './worker-state.ts'
import { startFolder } from '../../definitions/start-folder.ts'
import { keepAliveGraceMs } from './close-after-response.ts'

export interface SpawnOptions {
  /** The longest time that the worker takes to close after its drain timeout, in ms. */
  readonly closeMs: number
  /** Environment variables that the worker does not inherit. */
  readonly omittedVariables: readonly string[]
  /** Counts a request of a client for all workers. */
  readonly count: (client: string, calls: number) => RateCount
  /** Tracks the connections that are sent to the worker. */
  readonly trackWorker: TrackWorker
  /** Called for the series that the worker sends. */
  readonly onSeries: (chunk: SeriesChunk) => void
  /** Called for the messages of the worker for the dashboard. */
  readonly onOverview: (message: OverviewMessage) => void
  /** Renders the metrics of the service, for a scrape of the worker. */
  readonly render: (format: MetricsFormat) => Promise<string>
  /** Called when no heartbeat arrived within the limit, before the worker is killed. */
  readonly onSilent: (pid: number | undefined) => void
}

/** Time after which a worker is killed that should have exited by itself, in ms. Its event loop does not run. */
export const killGraceMs = 1000

/** Starts a worker. A worker runs this program with the same arguments and an assignment. */
export function spawnWorker(
  assignment: WorkerAssignment,
  { closeMs, omittedVariables, count, trackWorker, onSeries, onOverview, render, onSilent }: SpawnOptions,
): WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({ cwd: startFolder })
  const worker = cluster.fork({
    ...Object.fromEntries(omittedVariables.map(name => [name, undefined])),
    [assignmentVariable]: JSON.stringify(assignment),
  })
  const started = Promise.withResolvers<number>()
  let drainMs = 0
  let timer: NodeJS.Timeout | undefined
  let lostLogLines = 0
  const state = new WorkerState()
  const kill = () => {
    worker.process.kill('SIGKILL')
  }
  const send = (message: ToWorker) => {
    worker.process.send(marked(message, assignment.mark), () => {})
  }
  const heartbeat = watchHeartbeats(assignment.heartbeatMs, () => {
    onSilent(worker.process.pid)
    kill()
  })
  const series = new SeriesRequest(id => send({ kind: 'collect', id }))
  const questions = new Questions(send)
  trackWorker(worker)

  worker.on('message', (value: unknown) => {
    const message = readFromWorker(value, assignment.mark)
    if (message !== undefined) state.heard()
    switch (message?.kind) {
      case 'alive':
        return heartbeat.came()
      case 'listening':
        ;({ drainMs } = message)
        state.listening()
        heartbeat.started()
        series.open()
        questions.open()
        return started.resolve(message.port)
      case 'failed':
        started.reject(errorOf(message.failure))
        return kill()
      case 'count':
        return send({ kind: 'counted', id: message.id, ...count(message.client, message.calls) })
      case 'lost':
        ;({ lines: lostLogLines } = message)
        return
      case 'series':
        return onSeries(message.chunk)
      case 'collected':
        return series.answered(message.id)
      case 'render':
        return void sendRendered(send, message.id, render(message.format))
      case 'answered':
        return questions.answered(message.id, message)
      case 'notAnswered':
        return questions.notAnswered(message.id)
      case 'sample':
      case 'kept':
      case 'breaker':
        return onOverview(message)
      case undefined:
    }
  })
  const exited = new Promise<WorkerExit>(resolve => {
    worker.once('exit', (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }))
    worker.on('error', error => {
      // A message that cannot be sent also emits 'error', and the process may continue. Only a process without a pid
      // failed to start.
      if (worker.process.pid !== undefined) return
      started.reject(error)
      resolve({ code: null, signal: null })
    })
  })
  void exited.then(({ code, signal }) => {
    clearTimeout(timer)
    heartbeat.end()
    series.close()
    questions.close()
    started.reject(
      new Error(`worker ${assignment.index + 1} exited with ${signal ?? `code ${code}`} before it listened`),
    )
  })
  // The promise may not have another handler when it rejects.
  started.promise.catch(() => {})

  return {
    number: assignment.index + 1,
    pid: worker.process.pid,
    listening: started.promise,
    exited,
    stop(mode) {
      state.stopping()
      send({ kind: 'stop', mode })
      clearTimeout(timer)
      heartbeat.end()
      timer = setTimeout(kill, drainMs + (mode === 'replace' ? keepAliveGraceMs : 0) + closeMs + killGraceMs)
      return exited
    },
    kill,
    state,
    get lostLogLines() {
      return lostLogLines
    },
    sendLostLogLines: lines => send({ kind: 'lost', lines }),
    collectMetrics: () => series.ask(),
    ask: (topic, text) => questions.ask(topic, text),
    watch: watch => send({ kind: 'watch', ...watch }),
  }
}

function errorOf({ name, message, stack, code }: Failure): Error {
  return Object.assign(new Error(message), {
    name,
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
  })
}
