import type { Test } from 'tap'
import { buildApp, type AppOptions } from '../../../../src/app.ts'
import type { AnyAggregate } from '../../../../src/fanout/aggregate.ts'
import { listening } from '../../../helpers/listening.ts'

/** Serves aggregates on a real socket, and returns their origin. */
export async function serve(t: Test, aggregates: readonly AnyAggregate[], options: AppOptions = {}) {
  const app = buildApp(aggregates, options)
  const ask = await listening(t, app)
  const { port } = app.server.address() as { readonly port: number }
  return { app, ask, port, origin: `http://127.0.0.1:${port}` }
}
