import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { answerRaw } from './answer-raw.ts'

/** The state of the limit on connections: full while as many are open as there may be. */
export interface Crowd {
  isFull: boolean
}

export interface CrowdOptions {
  readonly crowd: Crowd
  /** The app's open connections, the oldest first. */
  readonly connections: ReadonlySet<Socket>
  /** Connections that may be open at once. */
  readonly most: number
  /** Returns the number of requests under way on a connection, or `undefined` before its first request. */
  readonly requestsOn: (socket: Socket) => number | undefined
}

/** Connections that are looked at for one to close. */
const maxLooks = 256
/** A caller has so long for its first request before its connection counts as idle, in ms. */
const silentMs = 1000
/** A refused caller has so long to read why, in ms. */
const lingerMs = 1000
/** The connections must be below this share of the limit before they count as few again. */
const relieved = 0.9
/** Time between two lines of the log about the limit, in ms. */
const quietMs = 10_000

/**
 * Limits the connections that are open at once. At the limit an idle connection is closed for a new one, and every answer
 * closes its connection. Where no connection is idle, a new one is answered 503 with `retry-after` before its request is
 * read.
 */
export function limitConnections (app: FastifyInstance, { crowd, connections, most, requestsOn }: CrowdOptions): void {
  const server: Server = app.server
  const refused = new Set<Socket>()
  const openedAt = new WeakMap<Socket, number>()
  /** Connections that may be refused at once; the rest is for those that are served. */
  const maxRefused = Math.max(1, Math.min(64, Math.floor(most / 8)))
  const served = most - maxRefused
  let refusals = 0
  let loggedAt = Number.NEGATIVE_INFINITY
  /** True while the line about the end of the present crowd is due. */
  let isLogged = false

  function refuse (socket: Socket): void {
    refusals++
    socket.on('error', () => {})
    answerRaw(socket, 503, 'OVERLOADED', 'retry-after: 1\r\n')
    // What the caller sends is read and dropped: a connection that is closed with unread bytes is reset, and the answer with it.
    const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
    socket.resume().once('end', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(timer)
      refused.delete(socket)
    })
    refused.add(socket)
    if (refused.size > maxRefused) (refused.values().next().value as Socket).destroy()
  }

  function isIdle (socket: Socket, now: number): boolean {
    return requestsOn(socket) === 0 || (requestsOn(socket) === undefined && now - (openedAt.get(socket) as number) >= silentMs && !refused.has(socket))
  }

  /** Closes the oldest connection that is idle; returns whether there was one. */
  function closeIdle (): boolean {
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

  function log (): void {
    const now = performance.now()
    if (now - loggedAt < quietMs) return
    loggedAt = now
    isLogged = true
    app.log.warn({ connections: connections.size, limit: served }, 'connection limit reached: idle connections are closed, and new ones are refused until others end')
  }

  function relieve (): void {
    if (!crowd.isFull || connections.size - refused.size > served * relieved) return
    crowd.isFull = false
    if (!isLogged) return
    isLogged = false
    app.log.info({ connections: connections.size, limit: served, refused: refusals }, 'connections are below their limit again')
    refusals = 0
  }

  const serve = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const isAdmitted = connections.size - refused.size < served || closeIdle()
    openedAt.set(socket, performance.now())
    // Every listener sees it, but for the one that reads requests.
    for (const listener of isAdmitted ? serve : serve.slice(1)) listener.call(server, socket)
    if (connections.size - refused.size >= served && !crowd.isFull) {
      crowd.isFull = true
      log()
    }
    if (!isAdmitted) refuse(socket)
    socket.once('close', relieve)
  })
}
