import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'

const good = {
  path: '/prices',
  query: z.object({ ids: z.array(z.string()) }),
  output: z.array(z.string()),
  keyBatch: { maxKeys: 50, call: (ids: readonly string[]) => ({ ids }), pick: (all: readonly string[]) => all[0] },
}

/** Declares an operation with options that the types refuse. */
const declare = (options: object) =>
  defineUpstream('shop', { origin: 'http://127.0.0.1:9' }, { prices: operation({ ...good, ...options }) })

test('a wrong keyBatch is refused with the option and the fix', t => {
  const { keyBatch } = good
  for (const [options, message] of [
    [{ keyBatch: true }, 'shop.prices: keyBatch must be an object with some of maxKeys, call, pick'],
    [{ keyBatch: { ...keyBatch, size: 5 } }, "shop.prices: unknown option 'keyBatch.size': use maxKeys, call, pick"],
    [
      { keyBatch: { ...keyBatch, maxKeys: 0 } },
      `shop.prices: keyBatch.maxKeys must be a whole number from 1 to ${2 ** 31 - 1}, got 0`,
    ],
    [
      { keyBatch: { ...keyBatch, maxKeys: 1001 } },
      'shop.prices: keyBatch.maxKeys must be at most 1000, got 1001: lower it',
    ],
    [
      { keyBatch: { maxKeys: 5, pick: keyBatch.pick } },
      'shop.prices: keyBatch.call is missing: it must be a function such as (ids: readonly string[]) => ({ ids })',
    ],
    [
      { keyBatch: { ...keyBatch, pick: 'id' } },
      'shop.prices: keyBatch.pick must be a function such as ' +
        '(prices, id) => prices.find(price => price.id === id), got a string',
    ],
    [
      { method: 'PUT' },
      'shop.prices: keyBatch needs an operation that changes nothing, such as a GET: its calls share one request',
    ],
    [
      { query: undefined },
      'shop.prices: keyBatch needs a schema for the keys in a request: ' +
        'declare params, query or body, for example query: z.object({ ids: z.array(z.string()) })',
    ],
    [
      { responseHeaders: z.object({ etag: z.string() }) },
      'shop.prices: response headers belong to a batch and not to a key: remove responseHeaders or keyBatch',
    ],
  ] as const)
    t.throws(() => declare(options), new TypeError(message), message)
  t.doesNotThrow(() => declare({ keyBatch: { ...keyBatch, maxKeys: 1000 } }))
  t.end()
})
