import { buildConnector, errors, type Dispatcher } from 'undici'
import { BatchSize } from './batch-size.ts'
import { Connection, type RequestHandler } from './connection.ts'
import { EarlyCloses } from './early-closes.ts'
import { Pipeline } from './pipeline.ts'
import { LinkedQueue } from '../../core/linked-queue.ts'
import { quietSocket } from './quiet-socket.ts'

export interface PoolOptions {
  /** Sockets at most. */
  readonly connections: number
  /** Opens each socket. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** Age after which a connection takes its last request, in ms. @default 300000 */
  readonly maxAge?: number
  /**
   * Requests that do not block and are dispatched in one turn of the loop share a connection, at most this many.
   * @default 1
   */
  readonly pipelining?: number
}

/** Connections to one origin. */
export interface Pool {
  /** Queues a request for a connection; `handler` learns of every end. */
  dispatch(options: Dispatcher.DispatchOptions, handler: RequestHandler): void
  /** Rejects every request that waits for a connection, or for one to open, each with what `reason` makes. */
  readonly rejectQueued: (reason: () => unknown) => void
  /** Closes every connection; requests in flight and queued ones fail. */
  destroy(): Promise<void>
}

/**
 * An upstream that closes a connection with its answer may send the end of it some ms later, when it runs again; after
 * this long, in ms, an idle connection counts as one that stays open.
 */
const settledMs = 5

/**
 * Opens a pool to an origin: at most `connections` sockets, none before a request needs one, and one request at a time
 * on each.
 *
 * A request is handed to undici after the code that dispatched it has run, and never while undici ends an answer.
 * undici then waits for the next check phase of the loop before it writes on a connection that has served, and the
 * socket is read just before that: an upstream that closed after its last answer, or sent more than that, is noticed
 * first. docs/design.md has the life of a connection.
 */
export function openPool(
  origin: string,
  { connections: most, pipelining = 1, connect, ...options }: PoolOptions,
): Pool {
  const all: Connection[] = []
  /** The last one used goes first: it is warm, and the others may close when fewer are needed. */
  const idle: Connection[] = []
  /** Connections without a socket. */
  const closed: Connection[] = []
  const queue = new LinkedQueue<RequestHandler>()
  const earlyCloses = new EarlyCloses()
  const size = new BatchSize(pipelining)
  let isArmed = false
  let isClosed = false

  /**
   * A run that is refused gives up the calls that it has dispatched, which takes promises, so they are not written
   * before that.
   */
  function afterMicrotasks(): void {
    process.nextTick(assignAll)
  }

  function arm(): void {
    if (isArmed) return
    isArmed = true
    // Requests that are dispatched in one turn of the loop may share a connection.
    if (pipelining > 1) setImmediate(assignAll)
    else queueMicrotask(afterMicrotasks)
  }

  function assignAll(): void {
    isArmed = false
    const now = performance.now()
    let batch: Pipeline | undefined
    for (let handler = queue.first; handler !== undefined; handler = queue.first) {
      const follows = handler.options.blocking === false && !handler.needsNew
      if (follows && batch?.hasRoom === true) {
        assign(batch, handler, now)
        continue
      }
      const connection = take(handler, now)
      if (connection === undefined) return
      if (follows && connection instanceof Pipeline) {
        batch = connection
        const uncork = connection.cork()
        // undici has scheduled its write by then, so the batch is written together.
        assign(connection, handler, now)
        setImmediate(uncork)
      } else {
        assign(connection, handler, now)
      }
    }
  }

  /**
   * A connection for a request, if one is free. An unsafe one cannot be sent again, so it takes a connection that the
   * upstream is not about to close.
   */
  function take({ isUnsafe, needsNew }: RequestHandler, now: number): Connection | undefined {
    if (needsNew) return closed.pop() ?? open() ?? idle.shift()
    if (!isUnsafe) return warm() ?? closed.pop() ?? open()
    const [longest] = idle
    const isSettled = longest !== undefined && now - longest.idleSince >= settledMs && !earlyCloses.areFrequent
    return (isSettled ? undefined : (closed.pop() ?? open())) ?? idle.shift()
  }

  /**
   * The connection that was used last of those whose sockets are open. One whose request was cut or moved is idle
   * before its socket has closed.
   */
  function warm(): Connection | undefined {
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (!connection.isClosing) return connection
      closed.push(connection)
    }
    return undefined
  }

  function assign(connection: Connection, handler: RequestHandler, now: number): void {
    queue.remove(handler)
    handler.connection = connection
    if ((handler.needsNew || (handler.isUnsafe && earlyCloses.areFrequent)) && connection.served > 0)
      connection.replaceSocket()
    connection.assign(handler, now)
    connection.dispatch(handler.options, handler)
  }

  function open(): Connection | undefined {
    if (all.length === most) return undefined
    const own = {
      ...options,
      connect: quietSocket(typeof connect === 'function' ? connect : buildConnector(connect)),
      onIdle,
      onEarlyClose: () => earlyCloses.add(),
    }
    const connection =
      pipelining > 1 ? new Pipeline(origin, { ...own, pipelining, batchSize: size }) : new Connection(origin, own)
    connection.on('disconnect', () => onDisconnect(connection))
    all.push(connection)
    return connection
  }

  function onIdle(connection: Connection): void {
    ;(connection.isConnected ? idle : closed).push(connection)
    if (queue.first !== undefined) arm()
  }

  function onDisconnect(connection: Connection): void {
    const place = idle.indexOf(connection)
    if (place !== -1) closed.push(...idle.splice(place, 1))
  }

  return {
    dispatch(_, handler) {
      if (isClosed) return handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
      queue.add(handler)
      arm()
    },
    rejectQueued(reason) {
      for (let handler = queue.first; handler !== undefined; handler = queue.first) handler.rejectIfUnsent(reason)
      for (const connection of all) connection.rejectUnsent(reason)
    },
    async destroy() {
      isClosed = true
      for (let handler = queue.first; handler !== undefined; handler = queue.first) {
        queue.remove(handler)
        handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
      }
      // It may be called while undici fails the requests of a connection, and undici asserts then that the connection
      // is not destroyed.
      await Promise.resolve()
      await Promise.all(all.map(connection => connection.destroy()))
    },
  }
}
