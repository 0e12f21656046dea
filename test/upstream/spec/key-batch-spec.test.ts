import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'
import { idsOf } from '../../helpers/priced-upstream.ts'

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
    [
      { method: 'POST', safe: true, bodyType: 'multipart', body: z.object({ ids: z.string() }) },
      'shop.prices: each multipart body has another boundary, so no two keys are equal: ' +
        "remove keyBatch, or use another bodyType such as 'form'",
    ],
    [
      { output: undefined, responses: { 200: good.output, 503: z.null() } },
      'shop.prices: responses lists 503, with which a whole batch fails, so that no key has a value: ' +
        'remove 503 from responses, or remove keyBatch',
    ],
  ] as const)
    t.throws(() => declare(options), new TypeError(message), message)
  t.doesNotThrow(() => declare({ keyBatch: { ...keyBatch, maxKeys: 1000 } }))
  t.end()
})

test('the key of a batch cannot be written as a stream', t => {
  const { upload } = defineUpstream(
    'shop',
    { origin: 'http://127.0.0.1:9' },
    {
      upload: operation({
        method: 'POST',
        safe: true,
        path: '/items',
        bodyType: 'bytes',
        body: z.custom<ReadableStream<Uint8Array>>(),
        output: z.string(),
        keyBatch: {
          maxKeys: 5,
          call: (keys: readonly ReadableStream<Uint8Array>[]) => ({ body: keys[0] as ReadableStream<Uint8Array> }),
          pick: text => text,
        },
      }),
    },
  )
  t.throws(
    () => upload(new ReadableStream()),
    new TypeError(
      'shop.upload: its body is a stream, which cannot be sent for several keys: remove keyBatch, or give bytes',
    ),
  )
  t.end()
})

test('a key gets its value from each status that responses lists', async t => {
  const { origin } = await httpUpstream(t, ({ request, json }) =>
    json({ ids: idsOf(request.url ?? '') }, idsOf(request.url ?? '').includes('gone') ? 404 : 200),
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const Found = z.object({ ids: z.array(z.string()) })
  const { item } = defineUpstream(
    'shop',
    { origin },
    {
      item: operation({
        path: '/items',
        query: Found,
        responses: { 200: Found, 404: z.unknown() },
        cache: { ttl: 60_000 },
        keyBatch: {
          maxKeys: 5,
          call: (ids: readonly string[]) => ({ ids }),
          pick: (answer, id) => (answer.status === 200 ? answer.body.ids.find(each => each === id) : `no ${id}`),
        },
      }),
    },
  )
  const run = testRun()
  const ask = (ids: readonly string[]) =>
    Promise.all(ids.map(async id => (await runtime.send(run.ask(item(id)))).value))
  t.same(await ask(['a', 'b']), ['a', 'b'])
  t.same(await ask(['a', 'b']), ['a', 'b'], 'from the cache')
  t.same(await ask(['gone', 'c']), ['no gone', 'no c'])
})
