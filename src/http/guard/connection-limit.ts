import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { sendRawProblem } from '../problems/raw-problem.ts'

/** The state of the limit on connections: full while as many are open as there may be. */
export interface ConnectionLimitState {
  isFull: boolean
}

export interface ConnectionLimitOptions {
  readonly state: ConnectionLimitState
  /** The app's open connections, the oldest first. */
  readonly connections: ReadonlySet<Socket>
  /** Connections that may be open at once. */
  readonly limit: number
  /** Returns the number of requests under way on a connection, or `undefined` before its first request. */
  readonly requestsOn: (socket: Socket) => number | undefined
}

type Listener = (socket: Socket) => void

/** Connections that are looked at for one to close. */
const maxLooks = 256
/** A caller has so long for its first request before its connection counts as idle, in ms. */
const silentMs = 1000
/** A refused caller has so long to read why, in ms. */
const lingerMs = 1000
/** Time for the first bytes of a connection over the limit, in ms; it is answered 503 without them after that. */
const firstBytesMs = 100
/** The connections must be below this share of the limit before they count as few again. */
const relieved = 0.9
/** The start of a request to a health route. */
const health = /^(?:GET|HEAD) \/health\//
/** Time between two lines of the log about the limit, in ms. */
const quietMs = 10_000

/**
 * Limits the connections that are open at once. At the limit an idle connection is closed for a new one, and every
 * answer closes its connection. Where no connection is idle, a new one is answered 503 with `retry-after` before its
 * request is parsed. A request to a health route is answered all the same: a full process is alive, and a restart would
 * lose its work.
 */
export function limitConnections(
  app: FastifyInstance,
  { state: crowd, connections, limit: most, requestsOn }: ConnectionLimitOptions,
): void {
  const server: Server = app.server
  const refused = new Set<Socket>()
  /** Answers the refused connections whose first bytes have not come, the oldest first. */
  const waiting = new Map<Socket, () => void>()
  const openedAt = new WeakMap<Socket, number>()
  /** Connections that may be refused at once; the rest is for those that are served. */
  const maxRefused = Math.max(1, Math.min(64, Math.floor(most / 8)))
  const served = most - maxRefused
  let refusals = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  /** True while the line about the end of the present crowd is due. */
  let isLogged = false

  /** Answers 503, unless the first bytes ask a health route; the connection is closed in either case. */
  function refuse(socket: Socket): void {
    socket.on('error', () => {})
    const first = setTimeout(answer, firstBytesMs).unref()
    const last = setTimeout(() => socket.destroy(), firstBytesMs + lingerMs).unref()

    function answer(): void {
      clearTimeout(first)
      waiting.delete(socket)
      refusals++
      sendRawProblem(socket, 503, 'OVERLOADED', 'retry-after: 1\r\n')
      // What the caller sends is read and dropped: a connection that is closed with unread bytes is reset, and the
      // answer with it.
      socket.resume().once('end', () => socket.destroy())
    }

    socket.once('data', (bytes: Buffer) => {
      if (!waiting.delete(socket)) return
      clearTimeout(first)
      if (!health.test(bytes.toString('latin1', 0, 16))) return answer()
      readRequests.call(server, socket)
      socket.emit('data', bytes)
    })
    socket.once('close', () => {
      clearTimeout(first)
      clearTimeout(last)
      waiting.delete(socket)
      refused.delete(socket)
    })
    refused.add(socket)
    waiting.set(socket, answer)
    // The rest of the places is for callers that read their answer.
    if (waiting.size > maxRefused / 2) waiting.values().next().value?.()
    if (refused.size > maxRefused) (refused.values().next().value as Socket).destroy()
  }

  function isIdle(socket: Socket, now: number): boolean {
    return (
      requestsOn(socket) === 0 ||
      (requestsOn(socket) === undefined && now - (openedAt.get(socket) as number) >= silentMs && !refused.has(socket))
    )
  }

  /** Closes the oldest connection that is idle; returns whether there was one. */
  function closeIdle(): boolean {
    const now = performance.now()
    let looks = 0
    for (const socket of connections) {
      if (isIdle(socket, now)) {
        socket.destroy()
        return true
      }
      if (++looks === maxLooks) return false
    }
    return false
  }

  function log(): void {
    const now = performance.now()
    if (now - loggedAt < quietMs) return
    loggedAt = now
    isLogged = true
    app.log.warn(
      { connections: connections.size, limit: served },
      'connection limit reached: idle connections are closed, and new ones are refused until others end',
    )
  }

  function relieve(): void {
    if (!crowd.isFull || connections.size - refused.size > served * relieved) return
    crowd.isFull = false
    if (!isLogged) return
    isLogged = false
    app.log.info(
      { connections: connections.size, limit: served, refused: refusals },
      'connections are below their limit again',
    )
    refusals = 0
  }

  // The first listener reads requests; the others see every connection.
  const [readRequests, ...others] = server.listeners('connection') as [Listener, ...Listener[]]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const isAdmitted = connections.size - refused.size < served || closeIdle()
    openedAt.set(socket, performance.now())
    if (isAdmitted) readRequests.call(server, socket)
    for (const listener of others) listener.call(server, socket)
    if (connections.size - refused.size >= served && !crowd.isFull) {
      crowd.isFull = true
      log()
    }
    if (!isAdmitted) refuse(socket)
    socket.once('close', relieve)
  })
}
