import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import type { Test } from 'tap'
import { createAdminApp, type AdminAppOptions } from '../../../src/admin/admin-app.ts'
import { defaultLimits } from '../../../src/http/guard/server-limits.ts'
import type { Readiness } from '../../../src/http/lifecycle/health.ts'
import { loggerOptions } from '../../../src/http/log/logger-options.ts'
import { Redaction } from '../../../src/log/redaction.ts'
import { logLines } from '../../helpers/log-lines.ts'

export interface AdminLogLine {
  readonly level: number
  readonly msg: string
  readonly listener?: string
  readonly code?: string
}

/** The metrics that the app serves by default. */
export const source: AdminAppOptions['metrics']['source'] = {
  render: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'cats_total 9\n' }),
}

/** Serves the app of the operator on a real socket for one test, with the log of the service. */
export async function serveAdminApp(t: Test, options: Partial<AdminAppOptions> = {}, host = '127.0.0.1') {
  const { lines, stream, line } = logLines<AdminLogLine>()
  // The listener uses the log of the app of the service.
  const service = fastify({
    logger: { ...(loggerOptions({ level: 'debug', redaction: new Redaction() }) as object), stream },
  })
  const readiness: Readiness = { state: 'ready' }
  const app = createAdminApp({
    metrics: { source },
    readiness,
    lostLogLines: () => 0,
    limits: defaultLimits,
    log: service.log,
    ...options,
  })
  t.teardown(() => app.close())
  await app.listen({ host, port: 0 })
  const { port } = app.server.address() as AddressInfo
  return { app, port, origin: `http://127.0.0.1:${port}`, readiness, lines, line }
}
