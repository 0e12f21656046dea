import { buildConnector, errors, type Dispatcher } from 'undici'
import { BatchSize } from './batch-size.ts'
import { Connection, parsing, type Passenger } from './connection.ts'
import { Pipeline } from './pipeline.ts'

export interface PoolOptions {
  /** Sockets at most. */
  readonly connections: number
  /** How each is opened. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** After how long a connection takes its last call, in ms. @default 300000 */
  readonly maxAge?: number
  /** How many calls that do not block go over one connection, one behind the other, when they are sent in one turn of the loop. @default 1 */
  readonly pipelining?: number
}

/** Connections to one origin. */
export interface Pool {
  /** Sends on a free connection, or on the next that is freed; whatever becomes of it, the passenger is told. */
  dispatch (options: Dispatcher.DispatchOptions, passenger: Passenger): void
  /** Ends every connection, and what is under way on it. */
  destroy (): Promise<void>
}

/** What waits for a connection. */
interface Waiting {
  readonly options: Dispatcher.DispatchOptions
  readonly passenger: Passenger
}

/**
 * Opens a pool to an origin: at most so many connections, none before a call needs one, and one call at a time on each.
 * The connection that was freed last goes first: it is warm, and the others may close when fewer are needed. A call that is sent
 * while another one ends takes over its connection then and there, which undici's own pool can do only later (docs/performance.md).
 */
export function openPool (origin: string, { connections: most, pipelining = 1, connect, ...options }: PoolOptions): Pool {
  const all: Connection[] = []
  /** Free ones; the last goes first. */
  const idle: Connection[] = []
  /** Only where more is sent than there are connections, which slots do not allow: a layer may send a call twice. */
  const waiting: Waiting[] = []
  /** What takes the calls of this turn of the loop. */
  let batch: Pipeline | undefined
  const size = new BatchSize(pipelining)
  let isClosed = false

  function freed (connection: Connection, isSound: boolean): void {
    if (batch === connection) batch = undefined
    const next = waiting.shift()
    if (next !== undefined) carry(connection, next.options, next.passenger)
    else if (isSound) idle.push(connection)
    // It has to be opened again, so it goes last.
    else idle.unshift(connection)
  }

  function closed (connection: Connection): void {
    const place = idle.indexOf(connection)
    if (place > 0) idle.unshift(...idle.splice(place, 1))
  }

  function open (): Connection | undefined {
    if (all.length === most || isClosed) return undefined
    const hears = {
      ...options,
      connect: typeof connect === 'function' ? connect : buildConnector(connect),
      freed (self: Connection, isSound: boolean) {
        if (isSound) freed(self, true)
        // undici tells several of one failure in turn, and can take no call in between.
        else queueMicrotask(() => freed(self, false))
      },
    }
    const connection = pipelining > 1 ? new Pipeline(origin, { ...hears, pipelining, size }) : new Connection(origin, hears)
    connection.on('disconnect', () => closed(connection))
    all.push(connection)
    return connection
  }

  /** The first of a batch: the others of this turn follow it, and all are written together at its end. */
  function begin (pipeline: Pipeline, first: Dispatcher.DispatchOptions, passenger: Passenger): void {
    batch = pipeline
    const uncork = pipeline.cork()
    carry(pipeline, first, passenger)
    // undici has something to do in this phase of the loop too, before it writes; in a microtask it has not said so yet.
    queueMicrotask(() => setImmediate(() => {
      uncork()
      if (batch === pipeline) batch = undefined
    }))
  }

  return {
    dispatch (how, passenger) {
      const follows = how.blocking === false
      if (follows && batch?.hasRoom === true) return carry(batch, how, passenger)
      const connection = idle.pop() ?? open()
      if (connection !== undefined) {
        if (follows && connection instanceof Pipeline) begin(connection, how, passenger)
        else carry(connection, how, passenger)
      } else if (isClosed) passenger.onResponseError?.(null as never, new errors.ClientDestroyedError())
      else waiting.push({ options: how, passenger })
    },
    async destroy () {
      isClosed = true
      for (const { passenger } of waiting.splice(0)) passenger.onResponseError?.(null as never, new errors.ClientDestroyedError())
      await Promise.all(all.map(connection => connection.destroy()))
    },
  }
}

function carry (connection: Connection, options: Dispatcher.DispatchOptions, passenger: Passenger): void {
  passenger.connection = connection
  connection.carry(passenger)
  if (parsing.connection === undefined || parsing.connection === connection) connection.dispatch(options, passenger)
  else connection.dispatchLater(options, passenger)
}
