import { lookup } from 'node:dns/promises'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { createAdminApp } from '../../admin/admin-app.ts'
import { addDashboardRoutes } from '../../admin/dashboard/dashboard-routes.ts'
import { dashboardUrl } from '../../admin/dashboard/page-routes.ts'
import { ConfigError, type Config } from '../../config.ts'
import { isLoopback } from '../../core/loopback.ts'
import type { RefusedReload } from '../../dashboard/protocol.ts'
import type { LoadedDefinitions, Readiness } from '../../http/lifecycle/health.ts'
import { ownVersion } from '../../metrics/readings.ts'
import type { MetricsSource } from '../../metrics/source.ts'
import type { LiveOverview } from '../../overview/live-overview.ts'
import { listenAt } from './listen.ts'

export interface AdminListenerOptions {
  readonly config: Config
  readonly log: FastifyBaseLogger
  /** The metrics of the service. */
  readonly metrics: MetricsSource
  /** Functions that add the other routes of the operator. @default none */
  readonly routes?: readonly ((app: FastifyInstance) => void)[]
  /** The overview that the dashboard shows. @default no dashboard */
  readonly live?: LiveOverview | undefined
  /** Returns the number of log lines that the service has lost. */
  readonly lostLogLines: () => number
  /** Returns the definitions that the service serves. */
  readonly definitions: () => LoadedDefinitions
}

/** The listener of the operator. Its readiness is that of the service. */
export interface AdminListener {
  /** Reports the service as ready. Call it when the service listens. */
  ready(): void
  /**
   * Reports the service as draining, and closes the listener after the service has closed.
   *
   * @param close - Closes the service.
   */
  closeAfter<T>(close: () => Promise<T>): Promise<T>
}

/** The admin listener of a service without `ADMIN_PORT`. */
const noListener: AdminListener = { ready() {}, closeAfter: close => close() }

/**
 * Opens the admin listener if `ADMIN_PORT` is set. It opens before the service listens, so that the service accepts no
 * request if the port is in use.
 *
 * @throws `ConfigError` if there is no key and the address is not a loopback address.
 */
export async function openAdminListener({
  config,
  log,
  metrics,
  routes = [],
  live,
  lostLogLines,
  definitions,
}: AdminListenerOptions): Promise<AdminListener> {
  const { listener, key } = config.admin
  if (listener === undefined) return noListener
  if (live !== undefined) live.refusedReload = () => refusedOf(definitions())
  const readiness: Readiness = { state: 'starting' }
  const app = createAdminApp({
    metrics: { source: metrics, key },
    routes: [
      ...(live === undefined
        ? []
        : [(admin: FastifyInstance) => addDashboardRoutes(admin, { live, version: ownVersion(), key })]),
      ...routes,
    ],
    readiness,
    lostLogLines,
    definitions,
    limits: config.inbound.limits,
    log,
  })
  const listen = async ({ host, port }: typeof listener) => {
    // Fastify would listen at each address of `localhost`, and would apply the limits to one of them only.
    const { address } = await lookup(host)
    if (key === undefined && !isLoopback(address))
      throw new ConfigError(
        `ADMIN_KEY: is required, because ADMIN_HOST ${host} has the address ${address}, which is not a loopback ` +
          'address: set ADMIN_KEY to a secret of at least 16 characters, or ADMIN_HOST to 127.0.0.1',
      )
    const opened = await app.listen({
      host: address,
      port,
      listenTextResolver: url => 'admin listener is open at ' + url,
    })
    if (live !== undefined) app.log.info('dashboard at ' + opened + dashboardUrl)
  }
  await listenAt(listener, listen, { host: 'ADMIN_HOST', port: 'ADMIN_PORT' })
  return {
    ready() {
      if (readiness.state === 'starting') readiness.state = 'ready'
    },
    async closeAfter(close) {
      readiness.state = 'draining'
      const result = await close()
      await app.close()
      return result
    },
  }
}

/** Returns the last reload as the dashboard shows it, if it was refused. */
function refusedOf({ refused }: LoadedDefinitions): RefusedReload | undefined {
  return refused && { at: Date.parse(refused.at), faults: refused.faults }
}
