// The definitions of the service in `chaos/main.ts`: aggregates over healthy, faulty and hostile upstreams. Each
// process that loads this module writes its memory usage to a file.
import { z } from 'zod'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { watch } from './watch.ts'

const [healthyOrigin = '', faultyOrigin = '', hostileOrigin = '', folder = ''] = (process.env['CHAOS'] ?? '').split(' ')
watch(folder)

const Id = z.object({ id: z.string() })
const Item = z.object({ id: z.string(), text: z.string() })
const Large = z.object({ id: z.string(), items: z.array(z.string()) })
const get = { path: '/item/{id}', params: Id, output: Item } as const

/**
 * A long timeout, so that a busy machine causes no timeouts. Latencies are printed and are not a criterion of this
 * test.
 */
const patient = { attemptTimeout: 2500 }
const deadline = 5000

const healthyUpstream = defineUpstream(
  'healthy',
  { origin: healthyOrigin, ...patient },
  {
    item: operation(get),
  },
)
const largeUpstream = defineUpstream(
  'large',
  { origin: healthyOrigin, ...patient },
  {
    large: operation({ path: '/large/{id}', params: Id, output: Large }),
  },
)
const faultyUpstream = defineUpstream(
  'faulty',
  { origin: faultyOrigin, attemptTimeout: 400, breaker: { openDuration: 500 } },
  { ok: operation({ path: '/', output: z.object({ ok: z.boolean() }) }) },
)
const keptUpstream = defineUpstream(
  'kept',
  { origin: hostileOrigin },
  {
    lists: operation({
      path: '/lists/{id}',
      params: Id,
      output: z.object({ id: z.string(), lists: z.unknown() }),
      cache: { ttl: 60_000 },
    }),
  },
)

export const healthy = aggregate('healthy', { url: '/healthy/{id}', params: Id, deadline })
  .each('items', ({ params: { id } }) => times(5, index => healthyUpstream.item({ id: `${id}-${index}` })))
  .reply(z.object({ ids: z.array(z.string()) }), ({ items }) => ({ ids: items.map(({ id }) => id) }))

export const mixed = aggregate('mixed', { url: '/mixed/{id}', params: Id, deadline })
  .required('item', ({ params }) => healthyUpstream.item(params))
  .optional('faulty', () => faultyUpstream.ok(), { fallback: null })
  .reply(z.object({ ids: z.array(z.string()) }), ({ item }) => ({ ids: [item.id] }))

export const large = aggregate('large', { url: '/large/{id}', params: Id, deadline })
  .required('large', ({ params }) => largeUpstream.large(params))
  .reply(z.object({ ids: z.array(z.string()), items: z.array(z.string()) }), ({ large: { id, items } }) => ({
    ids: [id],
    items,
  }))

export const cached = aggregate('cached', { url: '/cached/{id}', params: Id })
  .required('lists', ({ params }) => keptUpstream.lists(params))
  .reply(z.object({ ids: z.array(z.string()) }), ({ lists: { id } }) => ({ ids: [id] }))

export const taken = aggregate('taken', { method: 'POST', url: '/taken', body: z.unknown() }).reply(
  z.object({ ok: z.boolean() }),
  () => ({ ok: true }),
)

/** Defines one upstream per attack. It has no circuit breaker, because an open circuit breaker ends the attack. */
function attacked(kind: string) {
  const upstream = defineUpstream(
    kind,
    { origin: hostileOrigin, breaker: false, retry: false },
    { ask: operation({ path: `/${kind}`, output: z.object({ ok: z.boolean() }) }) },
  )
  return aggregate(kind, { url: `/${kind}` })
    .required('asked', () => upstream.ask())
    .reply(z.object({ ok: z.boolean() }), ({ asked }) => asked)
}

export const tiny = attacked('tiny')
export const nested = attacked('nested')
export const huge = attacked('huge')
export const endless = attacked('endless')
export const heads = attacked('heads')
export const hanging = attacked('hanging')
export const resets = attacked('resets')
export const slow = attacked('slow')
