import type { Clock } from './clock.ts'
import type { Connection } from './connection.ts'
import type { RequestOutcome } from './outcome.ts'
import type { Schedule } from './schedule.ts'

/** The moments of one request, in ms of the clock. */
export interface SentRequest {
  readonly dueAt: number
  readonly sentAt: number
  /** The earliest moment at which the request was due and a connection was free. */
  readonly sendableAt: number
}

/** Receives the events of every request. */
export interface RequestObserver {
  onSent(request: SentRequest): void
  onEnded(request: SentRequest, at: number, outcome: RequestOutcome): void
  /** Called for a request that was due but never got a free connection. */
  onNeverSent(dueAt: number, at: number): void
}

export interface GeneratorOptions {
  readonly schedule: Schedule
  readonly connections: readonly Connection[]
  /** The moment at which requests in flight are aborted. */
  readonly abortAt: number
  readonly clock: Clock
  readonly observer: RequestObserver
}

/** A running load generator. */
export interface LoadGenerator {
  /** Resolves when every request has ended. */
  readonly done: Promise<void>
  readonly inFlight: number
  readonly waiting: number
  /** Aborts the requests in flight and sends no more. */
  stop(): void
}

/** Pause of a closed-loop connection after an error. Without it, a refused connection would retry in a busy loop. */
const errorPauseMs = 100

/**
 * Sends each request when it is due and a connection is free. A request that is due while every connection is busy
 * waits. Connections are used in rotation, so that every process behind one port receives an equal share.
 */
export function startLoadGenerator({
  schedule,
  connections,
  abortAt,
  clock,
  observer,
}: GeneratorOptions): LoadGenerator {
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const free = [...connections]
  let freeSince = -Infinity
  let inFlight = 0
  let isDone = false
  let cancelTimer = () => {}

  function sendDue(): void {
    if (isDone) return
    const now = clock.now()
    if (now >= abortAt) return finish()
    while (free.length > 0) {
      const dueAt = schedule.takeDue(now)
      if (dueAt === undefined) break
      send(free.shift() as Connection, { dueAt, sentAt: now, sendableAt: Math.max(dueAt, freeSince) })
    }
    const next = schedule.nextAt(now)
    if (next === undefined && inFlight === 0) return finish()
    cancelTimer()
    const mustWait = next === undefined || (free.length === 0 && next <= now)
    cancelTimer = clock.wakeAt(mustWait ? abortAt : Math.min(next, abortAt), sendDue)
  }

  function send(connection: Connection, request: SentRequest): void {
    inFlight++
    observer.onSent(request)
    connection.send(outcome => {
      inFlight--
      const now = clock.now()
      observer.onEnded(request, now, outcome)
      if (isDone) return
      if ('error' in outcome && !schedule.isOpenLoop) clock.wakeAt(now + errorPauseMs, () => release(connection))
      else release(connection)
    })
  }

  function release(connection: Connection): void {
    const wereAllBusy = free.length === 0
    if (wereAllBusy) freeSince = clock.now()
    free.push(connection)
    if (wereAllBusy || inFlight === 0) sendDue()
  }

  function finish(): void {
    isDone = true
    cancelTimer()
    const now = clock.now()
    schedule.endAt(now)
    for (const connection of connections) connection.abort()
    for (let dueAt = schedule.takeDue(now); dueAt !== undefined; dueAt = schedule.takeDue(now))
      observer.onNeverSent(dueAt, now)
    resolve()
  }

  sendDue()
  return {
    done,
    get inFlight() {
      return inFlight
    },
    get waiting() {
      return isDone ? 0 : schedule.waiting(clock.now())
    },
    stop() {
      if (!isDone) finish()
    },
  }
}
