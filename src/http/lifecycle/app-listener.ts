import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import { trackConnections } from '../connection/open-connections.ts'
import { limitConnections, type ConnectionLimitState } from '../guard/connection-limit.ts'
import { handleServerEvents } from '../guard/server-events.ts'
import type { Limits } from '../guard/server-limits.ts'
import { closeSlowReaders } from '../guard/slow-readers.ts'
import { closeOnStrayBytes } from '../guard/stray-bytes.ts'
import type { RefusalSampler, ReportRefusal } from '../log/refusal-sampler.ts'
import { drainOnClose, type ServedWork } from './drain.ts'
import type { LoadedDefinitions, Readiness } from './health.ts'

export interface AppListenerOptions {
  readonly limits: Limits
  /** The largest number of open connections; `undefined` for no limit. */
  readonly maxConnections: number | undefined
  /** Time in which requests in flight must end after the app begins to close, in ms. */
  readonly drainTimeout: number
  readonly refusals: RefusalSampler
  /** Counts a refusal of a connection, or of bytes that were not parsed as a request. */
  readonly countRefusal: (code: ErrorCode) => void
}

/**
 * The connections of a server, with their limits. The app that the server belongs to answers the requests, or other
 * apps do, one after another.
 */
export class AppListener {
  readonly readiness: Readiness = { state: 'ready' }
  readonly connectionLimit: ConnectionLimitState = { isFull: false }
  readonly connections: ReadonlySet<Socket>
  /** Returns the definitions of the app that answers. @default not shown */
  definitions: (() => LoadedDefinitions | undefined) | undefined
  readonly #work = new Set<ServedWork>()
  #isListening = false
  #onListening: (() => void)[] = []

  /** @param app - The app that the server belongs to. */
  constructor(
    app: FastifyInstance,
    { limits, maxConnections, drainTimeout, refusals, countRefusal }: AppListenerOptions,
  ) {
    const { readiness, connectionLimit } = this
    const connections = trackConnections(app)
    this.connections = connections
    if (maxConnections !== undefined)
      limitConnections(app, {
        state: connectionLimit,
        connections,
        limit: maxConnections,
        onRefused: () => countRefusal('OVERLOADED'),
      })
    closeSlowReaders(app, connections, limits.replyTimeout)
    const logRefusal = refusals.reporter(app.log)
    const reportRefusal: ReportRefusal = refusal => {
      countRefusal(refusal.code)
      logRefusal(refusal)
    }
    closeOnStrayBytes(app, connections, limits.headerBytes, reportRefusal)
    drainOnClose(app, { readiness, connections, work: this.#work, timeout: drainTimeout })
    handleServerEvents(app.server, reportRefusal)
    app.addHook('onListen', done => {
      this.#isListening = true
      for (const call of this.#onListening) call()
      this.#onListening = []
      done()
    })
  }

  /**
   * Adds the calls and streams of an app. They are ended at the drain timeout.
   *
   * @returns A function that removes them.
   */
  add(work: ServedWork): () => void {
    this.#work.add(work)
    return () => this.#work.delete(work)
  }

  /** Calls a function when the server listens. */
  onListening(call: () => void): void {
    if (this.#isListening) call()
    else this.#onListening.push(call)
  }
}

const listeners = new WeakMap<Runtime, AppListener>()

/** Makes the app of a runtime answer the requests of a listener. The app then has no connections of its own. */
export function setListenerOf(runtime: Runtime, listener: AppListener): void {
  listeners.set(runtime, listener)
}

/** Returns the listener whose requests the app of a runtime answers; `undefined` if the app listens itself. */
export function listenerOf(runtime: Runtime): AppListener | undefined {
  return listeners.get(runtime)
}
