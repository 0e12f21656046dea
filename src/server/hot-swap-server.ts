import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { handleServerEvents } from '../http/guard/server-events.ts'
import { defaultLimits, serverOptions, type Limits } from '../http/guard/server-limits.ts'

/** One listening server that hands each request to the app of the moment. */
export interface HotSwapServer {
  /** Resolves with the URL it listens at. */
  listen(options: { readonly host: string; readonly port: number }): Promise<string>
  /** New requests go to this app; the one before ends when its last request has. */
  swap(app: FastifyInstance): void
  /** Ends after the requests under way. */
  close(): Promise<void>
}

/** An app at work, with the requests it has not answered yet. */
interface Generation {
  readonly app: FastifyInstance
  readonly underWay: Set<ServerResponse>
  isOver: boolean
  readonly ended: Promise<void>
  readonly end: () => void
}

/** So long the last replies have to be written, in ms. */
const lastWords = 200

export interface FrontOptions {
  /** What one request and its connection may take. @default those of `Limits` */
  readonly limits?: Limits
  /**
   * How long requests under way may take when it closes, in ms; after that the apps are closed in any case.
   * @default 10_000
   */
  readonly drainMs?: number
}

/** Makes a front without an app; `turnTo` gives it one before it listens. */
export function createHotSwapServer({ limits = defaultLimits, drainMs = 10_000 }: FrontOptions = {}): HotSwapServer {
  const shifts = new Set<Generation>()
  let current: Generation
  let isClosing = false

  const server = createServer(serverOptions(limits), (request, response) => take(current, request, response))
  handleServerEvents(server)

  function take(shift: Generation, request: IncomingMessage, response: ServerResponse): void {
    shift.underWay.add(response)
    response.once('close', () => {
      shift.underWay.delete(response)
      if (shift.isOver) settle(shift)
    })
    if (isClosing) response.setHeader('connection', 'close')
    shift.app.routing(request, response)
  }

  function settle(shift: Generation): void {
    if (shift.underWay.size > 0) return
    end(shift)
  }

  function end(shift: Generation): void {
    if (shifts.delete(shift)) void shift.app.close().then(shift.end, shift.end)
  }

  return {
    async listen({ host, port }) {
      server.listen(port, host)
      await once(server, 'listening')
      const { address, family, port: real } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${real}`
    },
    swap(app) {
      const before = current as Generation | undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      current = { app, underWay: new Set(), isOver: false, ended: promise, end: resolve }
      shifts.add(current)
      if (before === undefined) return
      before.isOver = true
      settle(before)
    },
    async close() {
      isClosing = true
      server.close()
      const left = [...shifts]
      for (const shift of left) {
        for (const response of shift.underWay) if (!response.headersSent) response.setHeader('connection', 'close')
        shift.isOver = true
        settle(shift)
      }
      // An app that closes ends its runs, whose callers are answered by that.
      const timer = setTimeout(() => {
        for (const shift of left) end(shift)
      }, drainMs)
      await Promise.all(left.map(({ ended }) => ended))
      clearTimeout(timer)
      // What was ended with its app is still to be answered.
      if (left.some(({ underWay }) => underWay.size > 0)) await delay(lastWords)
      server.closeAllConnections()
    },
  }
}
