import type { Clock } from './clock.ts'
import type { Connection, Ended } from './connection.ts'
import type { Pace } from './pace.ts'

/** One request, in ms of the clock. */
export interface Sent {
  readonly dueAt: number
  readonly sentAt: number
  /** When it could have been sent: when it was due, or later, when a connection was there for it. */
  readonly freeAt: number
}

/** Who is told what becomes of each request. */
export interface Listener {
  sent(request: Sent): void
  ended(request: Sent, at: number, how: Ended): void
  /** It was due, and no connection was ever free for it. */
  neverSent(dueAt: number, at: number): void
}

export interface SendingOptions {
  readonly pace: Pace
  readonly connections: readonly Connection[]
  /** What is not over by then is cut. */
  readonly cutAt: number
  readonly clock: Clock
  readonly listener: Listener
}

/** A run of requests under way. */
export interface Sending {
  /** Settles when every request has ended. */
  readonly over: Promise<void>
  readonly inFlight: number
  readonly waiting: number
  /** Cuts what is in flight, and sends no more. */
  stop(): void
}

/**
 * How long a caller without a rate waits when it had no answer: where it fails at once, it would do nothing else but
 * try.
 */
const failedMs = 100

/**
 * Sends each request when it is due and a connection is free, whatever has become of the ones before; what is due and
 * finds none waits. The connections take turns, so that every process behind one port has its share.
 */
export function startSending({ pace, connections, cutAt, clock, listener }: SendingOptions): Sending {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const free = [...connections]
  let freeSince = -Infinity
  let inFlight = 0
  let isOver = false
  let callOff = () => {}

  function pump(): void {
    if (isOver) return
    const now = clock.now()
    if (now >= cutAt) return finish()
    while (free.length > 0) {
      const dueAt = pace.take(now)
      if (dueAt === undefined) break
      send(free.shift() as Connection, { dueAt, sentAt: now, freeAt: Math.max(dueAt, freeSince) })
    }
    const next = pace.nextAt(now)
    if (next === undefined && inFlight === 0) return finish()
    callOff()
    callOff = clock.at(next === undefined || (free.length === 0 && next <= now) ? cutAt : Math.min(next, cutAt), pump)
  }

  function send(connection: Connection, request: Sent): void {
    inFlight++
    listener.sent(request)
    connection.ask(how => {
      inFlight--
      const now = clock.now()
      listener.ended(request, now, how)
      if (isOver) return
      if ('failure' in how && !pace.isFixed) clock.at(now + failedMs, () => release(connection))
      else release(connection)
    })
  }

  function release(connection: Connection): void {
    const wasNone = free.length === 0
    if (wasNone) freeSince = clock.now()
    free.push(connection)
    if (wasNone || inFlight === 0) pump()
  }

  function finish(): void {
    isOver = true
    callOff()
    const now = clock.now()
    pace.endAt(now)
    for (const connection of connections) connection.cut()
    for (let dueAt = pace.take(now); dueAt !== undefined; dueAt = pace.take(now)) listener.neverSent(dueAt, now)
    resolve()
  }

  pump()
  return {
    over,
    get inFlight() {
      return inFlight
    },
    get waiting() {
      return isOver ? 0 : pace.waiting(clock.now())
    },
    stop() {
      if (!isOver) finish()
    },
  }
}
