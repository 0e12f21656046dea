import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { createServer } from '../core/node-http.ts'
import { serverGuardOf } from '../http/guard/server-guard.ts'
import { handleServerEvents } from '../http/guard/server-events.ts'
import { defaultLimits, serverOptions, type Limits } from '../http/guard/server-limits.ts'

/** A listening server that passes each request to the current app. */
export interface HotSwapServer {
  /** Resolves with the URL at which it listens. */
  readonly listen: (options: {
    readonly host: string
    readonly port: number
    readonly backlog?: number
  }) => Promise<string>
  /** Makes `app` the current app; the previous app closes after its last request. */
  swap(app: FastifyInstance): void
  /** Closes after the requests in flight. */
  readonly close: () => Promise<void>
}

/** An app with its requests in flight. */
interface Generation {
  readonly app: FastifyInstance
  readonly inFlight: Set<ServerResponse>
  isReplaced: boolean
  readonly closed: Promise<void>
  readonly onClosed: () => void
}

/** Time to write the last replies after the apps were closed, in ms. */
const lastWriteMs = 200

export interface HotSwapServerOptions {
  /** Limits of one request and of its connection. @default those of `Limits` */
  readonly limits?: Limits
  /**
   * Time in which requests in flight must end after the server begins to close, in ms. Then the apps close. @default
   * 10_000
   */
  readonly drainMs?: number
}

/** Creates the server. `swap` must set an app before it listens. */
export function createHotSwapServer({
  limits = defaultLimits,
  drainMs = 10_000,
}: HotSwapServerOptions = {}): HotSwapServer {
  const generations = new Set<Generation>()
  let current: Generation
  let isClosing = false

  const server = createServer(serverOptions(limits), (request, response) => handle(current, request, response))
  handleServerEvents(server)

  function handle(generation: Generation, request: IncomingMessage, response: ServerResponse): void {
    generation.inFlight.add(response)
    response.once('close', () => {
      generation.inFlight.delete(response)
      if (generation.isReplaced) closeIfIdle(generation)
    })
    if (isClosing) response.setHeader('connection', 'close')
    if (!serverGuardOf(generation.app).refuses(request, response)) generation.app.routing(request, response)
  }

  function closeIfIdle(generation: Generation): void {
    if (generation.inFlight.size === 0) closeApp(generation)
  }

  function closeApp(generation: Generation): void {
    if (generations.delete(generation)) void generation.app.close().then(generation.onClosed, generation.onClosed)
  }

  return {
    listen: async options => {
      server.listen(options)
      await once(server, 'listening')
      const { address, family, port: realPort } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${realPort}`
    },
    swap(app) {
      const previous = current as Generation | undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      current = { app, inFlight: new Set(), isReplaced: false, closed: promise, onClosed: resolve }
      generations.add(current)
      if (previous === undefined) return
      previous.isReplaced = true
      closeIfIdle(previous)
    },
    async close() {
      isClosing = true
      server.close()
      const open = [...generations]
      for (const generation of open) {
        for (const response of generation.inFlight) if (!response.headersSent) response.setHeader('connection', 'close')
        generation.isReplaced = true
        closeIfIdle(generation)
      }
      // Closing an app ends its runs, and each run then replies to its caller.
      const timer = setTimeout(() => {
        for (const generation of open) closeApp(generation)
      }, drainMs)
      await Promise.all(open.map(({ closed }) => closed))
      clearTimeout(timer)
      // Wait for the replies of the runs that the app has ended.
      if (open.some(({ inFlight }) => inFlight.size > 0)) await delay(lastWriteMs)
      server.closeAllConnections()
    },
  }
}
