import type { BreakerChange, Runs } from '../../dashboard/protocol.ts'
import type { MetricsFormat } from '../../metrics/format.ts'
import type { SeriesChunk } from '../../metrics/chunks.ts'
import type { ProcessSample } from '../../overview/process-sample.ts'
import type { RunRow } from '../../waterfall/kept-run.ts'

/** The assignment of a worker, which the primary passes in the environment. */
export interface WorkerAssignment {
  /** The index of the worker's partition of the limits, from 0. */
  readonly index: number
  /** Number of workers. */
  readonly count: number
  readonly host: string
  readonly port: number
  /** Origins of the primary's demo upstreams, by the name of the upstream. */
  readonly demoUpstreams: Readonly<Record<string, string>> | undefined
  /**
   * The mark of messages between the primary and this worker. Definitions do not know it, so messages that they send
   * are ignored.
   */
  readonly mark: string
  /** Time without a heartbeat after which the primary replaces the worker, in ms; 0 is never. */
  readonly heartbeatMs: number
  /** The name of the service among its replicas. All its workers have the same name, and count as one replica. */
  readonly service: string
}

/** The environment variable that holds the assignment of a worker. */
export const assignmentVariable = 'HEADWATERS_WORKER'

/** The number of heartbeats within `heartbeatMs`. */
export const heartbeats = 10

/** An error in the form in which it is sent to another process. */
export interface Failure {
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: string | undefined
}

/**
 * The subjects of the questions of the primary. `run`: one kept run, by its id. `runs`: the kept runs that meet a
 * filter. `names`: the upstreams and aggregates of the worker. `aggregates`: those that it can explain. `explain`: one
 * explanation. `reload`: one step of a reload.
 */
export const topics = ['run', 'runs', 'names', 'aggregates', 'explain', 'reload'] as const

/** The subject of a question of the primary to a worker. */
export type Topic = (typeof topics)[number]

/** A message of a worker to the primary. */
export type FromWorker =
  | { readonly kind: 'alive' }
  | { readonly kind: 'listening'; readonly port: number; readonly drainMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Counts calls of a client: one, or those of a batch together. */
  | { readonly kind: 'count'; readonly id: number; readonly client: string; readonly calls: number }
  | { readonly kind: 'lost'; readonly lines: number }
  /** Some series of the worker's metrics. */
  | { readonly kind: 'series'; readonly chunk: SeriesChunk }
  /** The answer to `collect`, after the series. */
  | { readonly kind: 'collected'; readonly id: number }
  /** Asks for the metrics of the service as text. */
  | { readonly kind: 'render'; readonly id: number; readonly format: MetricsFormat }
  /** A part of the answer to `ask`. */
  | { readonly kind: 'answered'; readonly id: number; readonly text: string; readonly isLast: boolean }
  /** The answer to `ask` if the worker cannot answer. */
  | { readonly kind: 'notAnswered'; readonly id: number }
  /** The counts of the worker since its last sample. */
  | { readonly kind: 'sample'; readonly sample: ProcessSample }
  /** The kept runs since the last message, as far as the dashboard shows them. */
  | { readonly kind: 'kept'; readonly rows: readonly RunRow[]; readonly more: Runs['more'] }
  /** A change of a circuit breaker of the worker. */
  | { readonly kind: 'breaker'; readonly change: BreakerChange }

/** A message of a worker for the dashboard. */
export type OverviewMessage = Extract<FromWorker, { readonly kind: 'sample' | 'kept' | 'breaker' }>

/**
 * The way in which a worker stops. `drain`: it closes idle connections and exits after the requests in flight.
 * `replace`: it closes each open connection after its next response, and then drains. The other workers serve new
 * connections.
 */
export type StopMode = 'drain' | 'replace'

/** A message of the primary to a worker. */
export type ToWorker =
  | { readonly kind: 'stop'; readonly mode: StopMode }
  | { readonly kind: 'lost'; readonly lines: number }
  | { readonly kind: 'counted'; readonly id: number; readonly current: number; readonly ttl: number }
  /** Asks for the metrics of the worker. */
  | { readonly kind: 'collect'; readonly id: number }
  /** A part of the text that a worker has asked for. */
  | { readonly kind: 'rendered'; readonly id: number; readonly text: string; readonly isLast: boolean }
  /** The answer to `render` if the metrics could not be collected. */
  | { readonly kind: 'notRendered'; readonly id: number }
  /** Asks for a text about what the worker knows. */
  | { readonly kind: 'ask'; readonly id: number; readonly topic: Topic; readonly text: string }
  /**
   * Asks for a sample every `every` ms, and for the rows of kept runs if a dashboard is open. Without this message, the
   * worker sends none of them.
   */
  | { readonly kind: 'watch'; readonly every: number; readonly rows: boolean }
