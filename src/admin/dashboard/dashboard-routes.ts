import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import { logOutcome, probed } from '../../http/log/request-outcome.ts'
import { operatorScope, type OperatorAccess } from '../../http/operator/operator-scope.ts'
import { allowMethods } from '../../http/routing/allowed-methods.ts'
import type { LiveOverview } from '../../overview/live-overview.ts'
import { addPageRoutes, dashboardUrl } from './page-routes.ts'
import { byeText, Readers } from './readers.ts'

const eventsUrl = `${dashboardUrl}/events`
const upstreamUrl = `${dashboardUrl}/upstreams/:name`

export interface DashboardRoutes extends OperatorAccess {
  readonly live: LiveOverview
  /** The version of the service. */
  readonly version: string
}

/**
 * Adds the dashboard: its page and files, which have no data, and for the operator its events and the series of one
 * upstream. The events end when the app begins to close.
 */
export function addDashboardRoutes(app: FastifyInstance, { live, version, key }: DashboardRoutes): void {
  addPageRoutes(app)
  const readers = new Readers(live, version)
  app.addHook('preClose', done => {
    readers.close()
    done()
  })
  operatorScope(app, { key }, scope => {
    scope.get(eventsUrl, (request, reply) => sendEvents(request, reply, readers))
    scope.get<{ Params: { name: string } }>(upstreamUrl, (request, reply) => {
      logOutcome(request, probed)
      const history = live.historyOf(request.params.name)
      if (history === undefined) throw new Problem('NOT_FOUND', { detail: 'The service has no upstream of this name.' })
      return reply.send(history)
    })
    for (const url of [eventsUrl, upstreamUrl]) allowMethods(scope, url, ['GET'])
  })
}

function sendEvents(request: FastifyRequest, reply: FastifyReply, readers: Readers): FastifyReply {
  logOutcome(request, probed)
  reply.type('text/event-stream').header('x-accel-buffering', 'no').header('connection', 'close')
  if (request.method === 'HEAD') return reply.send('')
  if (readers.isFull) {
    readers.checkOldest()
    return reply.code(503).header('retry-after', '15').send(byeText('full'))
  }
  const { raw } = reply
  raw.writeHead(200, reply.getHeaders() as Record<string, string>)
  reply.hijack()
  raw.flushHeaders()
  readers.add(raw)
  return reply
}
