import type { FastifyInstance } from 'fastify'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { listenAt } from './process/listen.ts'
import { shutDownOnSignals, type ShutdownOptions } from './process/shutdown.ts'

/** Serves in this process alone, with the definitions as they were at the start. */
export async function serveSingle(
  catalogue: OpenCatalogue,
  app: FastifyInstance,
  flushSpans: ShutdownOptions['flushSpans'],
): Promise<void> {
  shutDownOnSignals(catalogue, app, () => app.close(), { flushSpans })
  await listenAt(catalogue.config, address => app.listen(address))
}
