/** What a worker is started for, by its environment. */
export interface Task {
  /** Its part of the bounds: from 0 up to the number of workers. */
  readonly index: number
  readonly count: number
  readonly host: string
  readonly port: number
  /** Where the stand-ins of the primary answer, by the upstream's name. */
  readonly standIns: Readonly<Record<string, string>> | undefined
  /**
   * Marks the messages between the primary and this worker. A module of definitions can send messages too, and does not
   * know it.
   */
  readonly mark: string
  /** Time without a heartbeat after which the primary replaces the worker, in ms; 0 is never. */
  readonly heartbeatMs: number
}

/** The variable that holds a worker's task. */
export const taskVariable = 'HEADWATERS_WORKER'

/** Heartbeats in the time after which a worker without one is replaced. */
export const heartbeats = 10

/** An error on its way to another process. */
export interface Failure {
  readonly name: string
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: string | undefined
}

/** What a worker says to the primary. */
export type FromWorker =
  | { readonly kind: 'alive' }
  | { readonly kind: 'listening'; readonly port: number; readonly drainMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'count'; readonly id: number; readonly client: string }
  | { readonly kind: 'lost'; readonly lines: number }

/**
 * How a worker ends: after the requests in flight, or first letting each connection end with its next answer, since
 * others go on serving.
 */
export type Leave = 'drain' | 'retire'

/** What the primary says to a worker. */
export type ToWorker =
  | { readonly kind: 'leave'; readonly how: Leave }
  | { readonly kind: 'lost'; readonly lines: number }
  | { readonly kind: 'counted'; readonly id: number; readonly current: number; readonly ttl: number }
