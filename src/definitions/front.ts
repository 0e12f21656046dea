import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { refuseOddities, serverOptions } from '../plugins/framing.ts'

/** One listening server that hands each request to the app of the moment. */
export interface Front {
  /** Resolves with the URL it listens at. */
  listen (options: { readonly host: string, readonly port: number }): Promise<string>
  /** New requests go to this app; the one before ends when its last request has. */
  turnTo (app: FastifyInstance): void
  /** Ends after the requests under way. */
  close (): Promise<void>
}

/** An app at work, with the requests it has not answered yet. */
interface Shift {
  readonly app: FastifyInstance
  readonly underWay: Set<ServerResponse>
  isOver: boolean
  readonly ended: Promise<void>
  readonly end: () => void
}

/** As long as Fastify keeps an idle connection, in ms. */
const keepAliveTimeout = 72_000

/** Makes a front without an app; `turnTo` gives it one before it listens. */
export function createFront (): Front {
  const shifts = new Set<Shift>()
  let current: Shift
  let isClosing = false

  const server = createServer({ keepAliveTimeout, ...serverOptions }, (request, response) => take(current, request, response))
  refuseOddities(server)

  function take (shift: Shift, request: IncomingMessage, response: ServerResponse): void {
    shift.underWay.add(response)
    response.once('close', () => {
      shift.underWay.delete(response)
      if (shift.isOver) settle(shift)
    })
    if (isClosing) response.setHeader('connection', 'close')
    shift.app.routing(request, response)
  }

  function settle (shift: Shift): void {
    if (shift.underWay.size > 0 || !shifts.delete(shift)) return
    void shift.app.close().then(shift.end, shift.end)
  }

  return {
    async listen ({ host, port }) {
      server.listen(port, host)
      await once(server, 'listening')
      const { address, family, port: real } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${real}`
    },
    turnTo (app) {
      const before = current as Shift | undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      current = { app, underWay: new Set(), isOver: false, ended: promise, end: resolve }
      shifts.add(current)
      if (before === undefined) return
      before.isOver = true
      settle(before)
    },
    async close () {
      isClosing = true
      server.close()
      const left = [...shifts]
      for (const shift of left) {
        for (const response of shift.underWay) if (!response.headersSent) response.setHeader('connection', 'close')
        shift.isOver = true
        settle(shift)
      }
      await Promise.all(left.map(({ ended }) => ended))
      server.closeAllConnections()
    },
  }
}
