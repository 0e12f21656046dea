import type { FastifyInstance } from 'fastify'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import { listenAt } from './process/listen.ts'
import { shutDownOnSignals } from './process/shutdown.ts'

/** Serves in this process alone, with the definitions as they were at the start. */
export async function serveSingle(catalogue: OpenCatalogue, app: FastifyInstance): Promise<void> {
  shutDownOnSignals(catalogue, app, () => app.close())
  await listenAt(catalogue.config, address => app.listen(address))
}
