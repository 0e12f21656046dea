import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'

export const Price = z.object({ id: z.string(), cents: z.number() })
export type Price = z.infer<typeof Price>

const Prices = z.array(Price)
const ids = z.object({ ids: z.array(z.string().regex(/^[a-z0-9]+$/)).max(300) })

/** An upstream that answers the prices of several ids with one request. */
export function pricedUpstream(maxKeys: number, options: Partial<UpstreamOptions> = {}) {
  const pricesOf = {
    maxKeys,
    call: (keys: readonly string[]) => ({ ids: keys }),
    pick: (prices: readonly Price[], id: string) => prices.find(price => price.id === id),
  }
  return defineUpstream(
    'shop',
    { origin: 'http://127.0.0.1:9', retry: false, forwardHeaders: ['x-tenant'], ...options },
    {
      price: operation({ path: '/prices', query: ids, output: Prices, keyBatch: pricesOf }),
      shared: operation({ path: '/shared', query: ids, output: Prices, coalesce: true, keyBatch: pricesOf }),
      kept: operation({ path: '/kept', query: ids, output: Prices, cache: { ttl: 60_000 }, keyBatch: pricesOf }),
      /** The value of a key is at the position of the key. */
      placed: operation({
        path: '/placed',
        query: ids,
        output: z.array(z.number().nullable()),
        keyBatch: { maxKeys, call: pricesOf.call, pick: (cents, _id: string, index) => cents[index] ?? undefined },
      }),
      /** The value of each key is `null` after a 404. */
      maybe: operation({
        path: '/maybe',
        query: ids,
        output: Prices,
        nullOn: [404],
        keyBatch: {
          maxKeys,
          call: pricesOf.call,
          pick: (prices, id: string) => (prices === null ? null : pricesOf.pick(prices, id)),
        },
      }),
      /** The value of a key is the whole answer. */
      whole: operation({
        path: '/whole',
        query: ids,
        output: z.unknown(),
        keyBatch: { maxKeys, call: pricesOf.call, pick: answer => answer },
      }),
      one: operation({ path: '/one/{id}', params: z.object({ id: z.string() }), output: Price }),
    },
  )
}

/** The ids that the path of a request asks for. */
export function idsOf(path: string): string[] {
  return new URL(path, 'http://127.0.0.1').searchParams.getAll('ids')
}

/** The prices that a path asks for, each with the length of its id. */
export function pricesOf(path: string): Price[] {
  return idsOf(path).map(id => ({ id, cents: id.length }))
}
