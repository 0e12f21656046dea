import { errors, type buildConnector, type Dispatcher } from 'undici'
import { Connection, parsing } from './connection.ts'

/** What is sent through a pool: it is told which connection takes it, and frees that when it has ended. */
export interface Passenger extends Dispatcher.DispatchHandler {
  connection: Connection | undefined
}

export interface PoolOptions {
  /** Sockets at most. */
  readonly connections: number
  /** How each is opened. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** After how long a connection takes its last call, in ms. @default 300000 */
  readonly maxAge?: number
}

/** Connections to one origin. */
export interface Pool {
  /** Sends on a free connection, or on the next that is freed; whatever becomes of it, the passenger is told. */
  dispatch (options: Dispatcher.DispatchOptions, passenger: Passenger): void
  /** Ends every connection, and what is under way on it. */
  destroy (): Promise<void>
}

/**
 * Opens a pool to an origin: at most so many connections, none before a call needs one, and one call at a time on each.
 * The connection that was freed last goes first: it is warm, and the others may close when fewer are needed. A call that is sent
 * while another one ends takes over its connection then and there, which undici's own pool can do only later (docs/performance.md).
 */
export function openPool (origin: string, { connections: most, ...options }: PoolOptions): Pool {
  const all: Connection[] = []
  /** Free ones; the last goes first. */
  const idle: Connection[] = []
  /** Only where more is sent than there are connections, which slots do not allow: a layer may send a call twice. */
  const waiting: { readonly options: Dispatcher.DispatchOptions, readonly passenger: Passenger }[] = []
  let isClosed = false

  function freed (connection: Connection, isSound: boolean): void {
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
    const connection = new Connection(origin, {
      ...options,
      freed (self, isSound) {
        if (isSound) freed(self, true)
        // undici tells several of one failure in turn, and can take no call in between.
        else queueMicrotask(() => freed(self, false))
      },
    })
    connection.on('disconnect', () => closed(connection))
    all.push(connection)
    return connection
  }

  return {
    dispatch (options, passenger) {
      const connection = idle.pop() ?? open()
      if (connection !== undefined) carry(connection, options, passenger)
      else if (isClosed) passenger.onResponseError?.(null as never, new errors.ClientDestroyedError())
      else waiting.push({ options, passenger })
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
  if (parsing.connection === undefined || parsing.connection === connection) connection.dispatch(options, passenger)
  else queueMicrotask(() => connection.dispatch(options, passenger))
}
