import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp, type AppOptions } from '../../src/app.ts'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { aggregates as builtIn } from '../../src/routes/index.ts'
import { info as builtInInfo } from '../../src/routes/info.ts'
import { startDemoUpstreams, type DemoUpstreamsOptions } from '../../src/demo-upstreams/index.ts'
import { builtInOperations } from './built-in-batches.ts'
import type { Override } from '../../src/upstream/runtime.ts'

export interface ServedAppOptions {
  /** @default the built-in ones */
  readonly aggregates?: readonly AnyAggregate[]
  /** Replaces the origins of the demo upstreams. */
  readonly overrides?: Readonly<Record<string, Override>>
  readonly demoUpstreams?: DemoUpstreamsOptions
  readonly layers?: AppOptions['layers']
  readonly logger?: AppOptions['logger']
  readonly lostLogLines?: AppOptions['lostLogLines']
  readonly metrics?: AppOptions['metrics']
  readonly pressure?: AppOptions['pressure']
  /** @default that of the built-in aggregates, if they are served */
  readonly info?: AppOptions['info']
  /** Adds hooks or routes before the app listens. */
  readonly before?: (app: FastifyInstance) => void
}

/** What a caller got. */
export interface Got<Body> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

/** Serves an app on a real socket for one test; by default it calls demo upstreams. */
export async function serveApp(
  t: Test,
  {
    aggregates = builtIn,
    overrides = {},
    demoUpstreams: delays = { medianMs: 0 },
    logger = false,
    layers = {},
    lostLogLines,
    metrics = false,
    pressure = {},
    info = aggregates === builtIn ? builtInInfo : undefined,
    before,
  }: ServedAppOptions = {},
) {
  const demoUpstreams = await startDemoUpstreams(delays)
  t.teardown(() => demoUpstreams.close())
  const origins = Object.entries(demoUpstreams.origins).map(
    ([name, origin]) => [name, { origin, ...overrides[name] }] as const,
  )
  const app = buildApp(aggregates, {
    overrides: { ...overrides, ...Object.fromEntries(origins) },
    logger,
    layers,
    lostLogLines,
    metrics,
    pressure,
    info,
    ...(aggregates === builtIn && { batch: { operations: builtInOperations } }),
  })
  t.teardown(() => app.close())
  before?.(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`

  async function get<Body>(path: string, options: RequestInit = {}): Promise<Got<Body>> {
    const response = await fetch(origin + path, options)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    }
  }

  return { app, origin, port, demoUpstreams, get }
}
