import type { buildConnector, Dispatcher } from 'undici'
import { createConnector, errors } from '../../core/undici.ts'
import { BatchSize } from './batch-size.ts'
import { Connection, type RequestHandler } from './connection.ts'
import { EarlyCloses } from './early-closes.ts'
import { Pipeline } from './pipeline.ts'
import { LinkedQueue } from '../../core/linked-queue.ts'
import { quietSocket } from './quiet-socket.ts'

export interface PoolOptions {
  /** Limit on the number of sockets. */
  readonly connections: number
  /** Opens each socket. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** The limit on the names and values of the headers of one response, in bytes. @default 16384 */
  readonly maxHeaderBytes?: number
  /** Age after which a connection takes its last request, in ms. @default 300000 */
  readonly maxAge?: number
  /**
   * The limit on requests that share a connection. Only non-blocking requests that are dispatched in one turn of the
   * event loop share one.
   * @default 1
   */
  readonly pipelining?: number
  /**
   * Returns whether a new socket may be opened, if the pool shares the limit on its sockets with other pools. It is
   * called each time that the first request in the queue needs a socket, so again for a request that has to wait.
   *
   * @param mayClose - True if an idle socket of another pool may be closed for it.
   * @default every socket up to `connections`
   */
  readonly mayOpen?: ((mayClose: boolean) => boolean) | undefined
}

/** The sockets of a pool, for a limit that several pools share. */
export interface PoolSockets {
  /** Returns the number of sockets that are open or being opened. */
  readonly count: () => number
  /** Returns the time at which the longest idle socket became idle, in ms; Infinity if no socket is idle. */
  readonly idleSince: () => number
  /** Closes the longest idle socket. */
  readonly closeIdle: () => void
}

/** The numbers of connections of a pool. */
export interface PoolGauge {
  /** Open connections with a request in flight. */
  readonly active: number
  /** Open connections without a request. */
  readonly idle: number
  /** The connections that were opened since the pool exists. */
  readonly opened: number
}

/** Connections to one origin. */
export interface Pool {
  /** Queues a request for a connection. Each outcome is reported to `handler`. */
  dispatch(options: Dispatcher.DispatchOptions, handler: RequestHandler): void
  /** Rejects every request that waits for a connection or for its socket to open, each with a result of `reason`. */
  readonly rejectQueued: (reason: () => unknown) => void
  /** Returns the numbers of connections at a moment. */
  readonly gauge: () => PoolGauge
  readonly sockets: PoolSockets
  /** Closes every connection. Requests in flight and queued requests fail. */
  destroy(): Promise<void>
}

/**
 * The idle time after which a connection is expected to stay open, in ms. An upstream that closes a connection after
 * its response may send the FIN some ms later.
 */
const settledMs = 5

/**
 * Opens a pool to an origin. It has at most `connections` sockets and sends one request at a time on each. A socket is
 * opened when a request needs it.
 *
 * A request is passed to undici after the code that dispatched it has run, and never while undici ends a response. On a
 * connection that has served, undici then waits for the next check phase of the event loop before it writes. The socket
 * is read just before that. So the pool first notices an upstream that has closed the connection, or has sent bytes
 * after its last response.
 *
 * docs/design.md describes the life of a connection.
 */
export function openPool(
  origin: string,
  { connections: maxConnections, pipelining = 1, connect, mayOpen, ...options }: PoolOptions,
): Pool {
  const all: Connection[] = []
  /** A stack: the connection that was used last is used first, so that unused connections can close. */
  const idle: Connection[] = []
  /** Connections without a socket. */
  const closed: Connection[] = []
  const queue = new LinkedQueue<RequestHandler>()
  const earlyCloses = new EarlyCloses()
  const batchSize = new BatchSize(pipelining)
  let isArmed = false
  let isClosed = false
  let opened = 0

  /**
   * Assigns requests after all microtasks. A run that is refused aborts its dispatched calls first, through promises.
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
      const isPipelined = handler.options.blocking === false && !handler.needsNew
      if (isPipelined && batch?.hasRoom === true) {
        assign(batch, handler, now)
        continue
      }
      const connection = take(handler, now)
      if (connection === undefined) return
      if (isPipelined && connection instanceof Pipeline) {
        batch = connection
        const endBatch = connection.startBatch()
        assign(connection, handler, now)
        // undici has scheduled its writes, which come first.
        if (endBatch !== undefined) setImmediate(endBatch)
      } else {
        assign(connection, handler, now)
      }
    }
  }

  /**
   * Returns a free connection for a request. An unsafe request cannot be sent again, so it gets a connection that the
   * upstream is not about to close.
   */
  function take({ isUnsafe, needsNew }: RequestHandler, now: number): Connection | undefined {
    if (needsNew) return fresh() ?? idle.shift()
    if (!isUnsafe) return warm() ?? fresh()
    const [longest] = idle
    const isSettled = longest !== undefined && now - longest.idleSince >= settledMs && !earlyCloses.areFrequent
    return (isSettled ? undefined : fresh()) ?? idle.shift()
  }

  /**
   * Returns a connection without a socket, if a socket may be opened for it. A pool that has an idle socket itself
   * closes none of another pool.
   */
  function fresh(): Connection | undefined {
    if (closed.length === 0 && all.length === maxConnections) return undefined
    if (mayOpen?.(longestIdle() === undefined) === false) return undefined
    return closed.pop() ?? open()
  }

  /**
   * Returns the idle connection with an open socket that was used last. After its request was aborted or redispatched,
   * a connection is idle before its socket has closed.
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

  function open(): Connection {
    const own = {
      ...options,
      connect: quietSocket(typeof connect === 'function' ? connect : createConnector(connect)),
      onIdle,
      onEarlyClose: () => earlyCloses.add(),
    }
    const connection =
      pipelining > 1 ? new Pipeline(origin, { ...own, pipelining, batchSize }) : new Connection(origin, own)
    connection.on('connect', () => opened++)
    connection.on('disconnect', () => onDisconnect(connection))
    all.push(connection)
    return connection
  }

  function onIdle(connection: Connection): void {
    ;(connection.isConnected ? idle : closed).push(connection)
    if (queue.first !== undefined) arm()
  }

  function onDisconnect(connection: Connection): void {
    const index = idle.indexOf(connection)
    if (index !== -1) closed.push(...idle.splice(index, 1))
  }

  const isOpen = (connection: Connection) => connection.isConnected && !connection.isClosing
  const longestIdle = () => idle.find(isOpen)

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
    gauge() {
      const open = (list: readonly Connection[]) => list.filter(({ isConnected }) => isConnected).length
      const unused = open(idle)
      return { active: open(all) - unused, idle: unused, opened }
    },
    sockets: {
      // A socket that is closing belongs to an idle connection until its end is reported.
      count: () => all.length - closed.length - idle.filter(connection => !isOpen(connection)).length,
      idleSince: () => longestIdle()?.idleSince ?? Infinity,
      closeIdle: () => longestIdle()?.replaceSocket(),
    },
    async destroy() {
      isClosed = true
      for (let handler = queue.first; handler !== undefined; handler = queue.first) {
        queue.remove(handler)
        handler.onResponseError?.(null as never, new errors.ClientDestroyedError())
      }
      // destroy() may be called while undici rejects the requests of a connection. undici asserts in that case that the
      // connection is not destroyed.
      await Promise.resolve()
      await Promise.all(all.map(connection => connection.destroy()))
    },
  }
}
