import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { requestsOn } from '../connection/open-connections.ts'
import { sendRawProblem } from '../problems/raw-problem.ts'

/** The state of the connection limit. The limit is full while the number of open connections equals the limit. */
export interface ConnectionLimitState {
  isFull: boolean
}

export interface ConnectionLimitOptions {
  readonly state: ConnectionLimitState
  /** The app's open connections, the oldest first. */
  readonly connections: ReadonlySet<Socket>
  /** Connections that may be open at once. */
  readonly limit: number
  /** Called for each connection that is refused with 503. */
  readonly onRefused: () => void
}

type Listener = (socket: Socket) => void

/** Most connections that are examined in the search for an idle one. */
const maxExamined = 256
/** Time without a first request after which a connection counts as idle, in ms. */
const silentMs = 1000
/** Time that a refused caller has to read its reply, in ms. */
const lingerMs = 1000
/** Time in which a connection over the limit must send its first bytes, in ms. After this time it gets 503. */
const firstBytesMs = 100
/** The limit is no longer full when the number of connections falls to this fraction of the limit. */
const relievedRatio = 0.9
/** The start of a request to a health route, or to the metrics. */
const observing = /^(?:GET|HEAD) \/(?:health\/|metrics[ ?])/
/** Time between two log lines about the limit, in ms. */
const logEveryMs = 10_000

/**
 * Limits the connections that are open at once. At the limit an idle connection is closed for a new one, and every
 * reply closes its connection. If no connection is idle, a new one gets 503 with `retry-after` before its request is
 * parsed. Requests to health routes and to the metrics are still served. A process at its limit is healthy, and a
 * failed health check would make the orchestrator restart it and lose its requests.
 */
export function limitConnections(
  app: FastifyInstance,
  { state, connections, limit, onRefused }: ConnectionLimitOptions,
): void {
  const server: Server = app.server
  const refused = new Set<Socket>()
  /** Functions that reply to the refused connections whose first bytes have not arrived, the oldest first. */
  const waiting = new Map<Socket, () => void>()
  const openedAt = new WeakMap<Socket, number>()
  /** The number of connections over the limit that may be open at the same time to get their 503. */
  const maxRefused = Math.max(1, Math.min(64, Math.floor(limit / 8)))
  const served = limit - maxRefused
  let refusals = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  /** True if the full state was logged and its end was not logged yet. */
  let isLogged = false

  /**
   * Replies 503, or serves the request if its first bytes request a health route or the metrics. The connection closes
   * in both cases.
   */
  function refuse(socket: Socket): void {
    socket.on('error', () => {})
    const first = setTimeout(reply, firstBytesMs).unref()
    const last = setTimeout(() => socket.destroy(), firstBytesMs + lingerMs).unref()

    function reply(): void {
      clearTimeout(first)
      waiting.delete(socket)
      refusals++
      onRefused()
      sendRawProblem(socket, 503, 'OVERLOADED', 'retry-after: 1\r\n')
      // Read and discard the caller's bytes. Closing a connection with unread bytes resets it, and the reply would be
      // lost.
      socket.resume().once('end', () => socket.destroy())
    }

    socket.once('data', (bytes: Buffer) => {
      if (!waiting.delete(socket)) return
      clearTimeout(first)
      if (!observing.test(bytes.toString('latin1', 0, 16))) return reply()
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
    waiting.set(socket, reply)
    // At most half of the places wait for first bytes. The other half is for callers that read their reply.
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
    let examined = 0
    for (const socket of connections) {
      if (isIdle(socket, now)) {
        socket.destroy()
        return true
      }
      if (++examined === maxExamined) return false
    }
    return false
  }

  function log(): void {
    const now = performance.now()
    if (now - loggedAt < logEveryMs) return
    loggedAt = now
    isLogged = true
    app.log.warn(
      { connections: connections.size, limit: served },
      'connection limit reached; closing idle connections and refusing new ones',
    )
  }

  function relieve(): void {
    if (!state.isFull || connections.size - refused.size > served * relievedRatio) return
    state.isFull = false
    if (!isLogged) return
    isLogged = false
    app.log.info(
      { connections: connections.size, limit: served, refused: refusals },
      'connections are below the limit again',
    )
    refusals = 0
  }

  // The first listener parses requests. The other listeners must get every connection, also a refused one.
  const [readRequests, ...others] = server.listeners('connection') as [Listener, ...Listener[]]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const isAdmitted = connections.size - refused.size < served || closeIdle()
    openedAt.set(socket, performance.now())
    if (isAdmitted) readRequests.call(server, socket)
    for (const listener of others) listener.call(server, socket)
    if (connections.size - refused.size >= served && !state.isFull) {
      state.isFull = true
      log()
    }
    if (!isAdmitted) refuse(socket)
    socket.once('close', relieve)
  })
}
