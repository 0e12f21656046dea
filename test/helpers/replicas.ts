import type { Test } from 'tap'
import { definitionsFolder } from './definitions-folder.ts'
import { startNginx } from './nginx.ts'
import { startService, type Environment } from './service-process.ts'
import { until } from './until.ts'

/** Items of an upstream. Each attempt names the process that sends it, which is not part of what makes calls equal. */
const definitions = (origin: string) => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const params = z.object({ key: z.string() })
const output = z.object({ key: z.string(), version: z.number() })
const named = next => call => next(call.with({ headers: { 'x-replica': String(process.pid) } }))
const source = defineUpstream('source', {
  origin: '${origin}', attemptTimeout: 10_000, retry: false, breaker: false, layers: { attempt: [named] },
}, {
  item: operation({ path: '/items/{key}', params, output, cache: true, coalesce: 'replicas' }),
  change: operation({ method: 'PUT', path: '/items/{key}', params, output }),
})
export const item = aggregate('item', { url: '/items/{key}', params, deadline: 60_000, envelope: false })
  .required('item', ({ params }) => source.item(params))
  .reply(output, ({ item }) => item)
export const change = aggregate('change', { method: 'PUT', url: '/items/{key}', params, deadline: 60_000, envelope: false })
  .required('item', ({ params }) => source.change(params))
  .reply(output, ({ item }) => item)
`

export interface ReplicasOptions {
  /** The origin of the upstream, see `versionedUpstream`. */
  readonly upstream: string
  /** The URL of Redis. @default none, so that each replica has a cache of its own */
  readonly redis?: string
  /** The options of the client of Redis. @default none */
  readonly redisOptions?: object
  /** @default 3 */
  readonly count?: number
  readonly environment?: Environment
}

export type Replica = Awaited<ReturnType<typeof startService>>

/** Replicas of one service behind nginx, which gives each request to the next one and repeats none. */
export interface ReplicaGroup {
  /** The origin of nginx. */
  readonly origin: string
  readonly replicas: readonly Replica[]
}

/** Starts replicas. With Redis, each one knows all of them and uses it when the promise resolves. They end with the test. */
export async function startReplicas(
  t: Test,
  { upstream, redis, redisOptions, count = 3, environment = {} }: ReplicasOptions,
): Promise<ReplicaGroup> {
  const { path } = definitionsFolder(t, { 'items.mjs': definitions(upstream) })
  const variables = {
    HEADWATERS_ENV: 'development',
    ...environment,
    ...(redis !== undefined && { HEADWATERS_REDIS_URL: redis }),
    ...(redisOptions !== undefined && { HEADWATERS_REDIS_OPTIONS: JSON.stringify(redisOptions) }),
  }
  const replicas = await Promise.all(Array.from({ length: count }, () => startService(t, variables, ['serve', path])))
  if (redis !== undefined || redisOptions !== undefined)
    await until(async () => (await Promise.all(replicas.map(replicasSeenBy))).every(seen => seen === count))
  return {
    origin: await startNginx(
      t,
      replicas.map(({ origin }) => origin),
    ),
    replicas,
  }
}

/** Returns how many replicas a replica knows, and 0 if it does not use Redis at present. */
async function replicasSeenBy({ origin }: Replica): Promise<number> {
  const text = await metricsOf(origin)
  return isWithoutStore(text) ? 0 : Number(/^headwaters_replicas (\d+)/m.exec(text)?.[1])
}

const isWithoutStore = (text: string) => /^headwaters_shared_store_available 0/m.test(text)

/** Returns how many replicas do not use Redis at present. */
export async function withoutStore(replicas: readonly Replica[]): Promise<number> {
  const texts = await Promise.all(replicas.map(({ origin }) => metricsOf(origin)))
  return texts.filter(isWithoutStore).length
}

async function metricsOf(origin: string): Promise<string> {
  return (await fetch(`${origin}/metrics`)).text()
}
