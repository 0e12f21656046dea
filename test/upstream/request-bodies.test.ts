import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type Call, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { keyOf } from '../../src/upstream/transport/dispatch.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const output = z.unknown()
const operations = {
  json: operation({ method: 'POST', path: '/', body: z.object({ name: z.string() }), output }),
  api: operation({
    method: 'PATCH',
    path: '/',
    body: z.object({ name: z.string() }),
    contentType: 'application/vnd.api+json',
    output,
  }),
  form: operation({
    method: 'POST',
    path: '/',
    bodyType: 'form',
    body: z.object({ 'a b': z.string(), tags: z.array(z.int()), at: z.date(), none: z.string().nullish() }),
    output,
  }),
  text: operation({ method: 'PUT', path: '/', bodyType: 'text', body: z.string().optional(), output }),
  csv: operation({ method: 'PUT', path: '/', bodyType: 'text', body: z.string(), contentType: 'text/csv', output }),
  bytes: operation({ method: 'PUT', path: '/', bodyType: 'bytes', body: z.instanceof(Uint8Array), output }),
  image: operation({
    method: 'PUT',
    path: '/',
    bodyType: 'bytes',
    contentType: 'image/png',
    body: z.instanceof(Uint8Array),
    output,
  }),
  parts: operation({
    method: 'POST',
    path: '/',
    bodyType: 'multipart',
    body: z.object({ title: z.string(), file: z.object({ bytes: z.instanceof(Uint8Array), filename: z.string() }) }),
    output,
  }),
}

async function arrange(t: Test, options: Partial<UpstreamOptions> = {}) {
  const upstream = await rawUpstream(t, json(null))
  const shop = defineUpstream('shop', { origin: upstream.origin, ...options }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return {
    shop,
    upstream,
    sent: async (call: Call<unknown>) => {
      await runtime.send(testRun().ask(call))
      const { headers, body } = upstream.requests.at(-1) as (typeof upstream.requests)[number]
      const header = (wanted: string) => headers.filter(([name]) => name === wanted).map(([, value]) => value)
      return { types: header('content-type'), lengths: header('content-length'), body }
    },
  }
}

test('a body goes out in the format of its operation, with one content type and its length', async t => {
  const { shop, sent } = await arrange(t)
  t.strictSame(await sent(shop.json({ body: { name: 'tom' } })), {
    types: ['application/json'],
    lengths: ['14'],
    body: '{"name":"tom"}',
  })
  t.strictSame(await sent(shop.api({ body: { name: 'tom' } })), {
    types: ['application/vnd.api+json'],
    lengths: ['14'],
    body: '{"name":"tom"}',
  })
  t.strictSame(await sent(shop.form({ body: { 'a b': 'c&d', tags: [1, 2], at: new Date(0), none: null } })), {
    types: ['application/x-www-form-urlencoded'],
    lengths: ['55'],
    body: 'a+b=c%26d&tags=1&tags=2&at=1970-01-01T00%3A00%3A00.000Z',
  })
  t.strictSame(await sent(shop.text({ body: '\u010d' })), {
    types: ['text/plain;charset=utf-8'],
    lengths: ['2'],
    body: '\u00c4\u008d',
  })
  t.match(await sent(shop.csv({ body: 'a,b\r\n' })), { types: ['text/csv'], body: 'a,b\r\n' })
  t.strictSame(await sent(shop.bytes({ body: Uint8Array.of(0, 255) })), {
    types: ['application/octet-stream'],
    lengths: ['2'],
    body: '\0\u00ff',
  })
  t.match(await sent(shop.image({ body: Uint8Array.of(137) })), { types: ['image/png'], body: '\u0089' })
})

test('an empty text has a content type, and an undefined one does not', async t => {
  const { shop, sent } = await arrange(t)
  t.strictSame(await sent(shop.text({ body: '' })), { types: ['text/plain;charset=utf-8'], lengths: ['0'], body: '' })
  t.strictSame(await sent(shop.text({})), { types: [], lengths: ['0'], body: '' })
  t.strictSame(await sent(shop.bytes({ body: new Uint8Array() })), {
    types: ['application/octet-stream'],
    lengths: ['0'],
    body: '',
  })
})

test('a view of a larger buffer goes out alone', async t => {
  const { shop, sent } = await arrange(t)
  const secret = Buffer.from('secret-open-secret')
  t.match(await sent(shop.bytes({ body: secret.subarray(7, 11) })), { lengths: ['4'], body: 'open' })
})

test('a multipart body has the boundary of its content type, and another one for each call', async t => {
  const { shop, sent } = await arrange(t)
  const call = () => shop.parts({ body: { title: 'Tom', file: { bytes: Buffer.from('purr'), filename: 'tom.txt' } } })
  const boundaries = new Set<string>()
  for (let round = 0; round < 2; round++) {
    const { types, lengths, body } = await sent(call())
    const [type = ''] = types
    t.equal(types.length, 1)
    t.match(type, /^multipart\/form-data; boundary=headwaters-[0-9a-f]{48}$/)
    const boundary = type.slice(type.indexOf('=') + 1)
    boundaries.add(boundary)
    t.equal(
      body,
      `--${boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nTom\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="tom.txt"\r\n` +
        `Content-Type: application/octet-stream\r\n\r\npurr\r\n--${boundary}--\r\n`,
    )
    t.strictSame(lengths, [String(body.length)])
  }
  t.equal(boundaries.size, 2)
})

test('a body above maxRequestBytes is refused before it is sent, in bytes', async t => {
  const { shop, upstream, sent } = await arrange(t, { maxRequestBytes: 20 })
  const refused = (call: () => Call<unknown>, bytes: string) =>
    t.throws(call, {
      code: 'CALL_INPUT_INVALID',
      message: new RegExp(`its body has ${bytes} bytes, and the limit is 20`),
    })
  await sent(shop.json({ body: { name: 'a'.repeat(9) } }))
  await sent(shop.text({ body: '\u010d'.repeat(10) }))
  await sent(shop.bytes({ body: new Uint8Array(20) }))
  t.equal(upstream.requests.length, 3)
  refused(() => shop.json({ body: { name: 'a'.repeat(10) } }), '21')
  refused(() => shop.text({ body: `${'\u010d'.repeat(10)}a` }), '21')
  refused(() => shop.bytes({ body: new Uint8Array(21) }), '21')
  refused(() => shop.form({ body: { 'a b': 'c', tags: [], at: new Date(0) } }), '37')
  refused(() => shop.parts({ body: { title: '', file: { bytes: new Uint8Array(), filename: '' } } }), '\\d{3}')
  t.equal(upstream.requests.length, 3)
})

test('a layer reads the body as it is sent', async t => {
  const bodies: unknown[] = []
  const { shop, sent } = await arrange(t, {
    layers: {
      attempt: [
        next => call => {
          bodies.push(typeof call.body === 'string' ? call.body : Buffer.from(call.body ?? []).toString('latin1'))
          return next(call)
        },
      ],
    },
  })
  for (const call of [
    shop.form({ body: { 'a b': '', tags: [], at: new Date(0) } }),
    shop.bytes({ body: Uint8Array.of(1) }),
    shop.parts({ body: { title: '', file: { bytes: Uint8Array.of(2), filename: '' } } }),
  ]) {
    const { body } = await sent(call)
    t.equal(bodies.at(-1), body)
  }
})

test('a call with the same body in another format has another key', async t => {
  const { shop } = await arrange(t)
  const keys = [
    shop.text({ body: 'a' }),
    shop.text({ body: 'a' }),
    shop.bytes({ body: Buffer.from('a') }),
    shop.bytes({ body: Buffer.from('a') }),
    shop.bytes({ body: Buffer.from('b') }),
    shop.text({}),
  ].map(call => keyOf(testRun().ask(call)))
  t.equal(keys[0], keys[1])
  t.equal(keys[2], keys[3])
  t.equal(new Set(keys).size, 4)
})
