import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { listening } from '../helpers/listening.ts'

const quick = aggregate('quick', {
  url: '/v1/quick',
  cacheControl: 'max-age=60',
  headers: z.object({ 'accept-language': z.string().optional() }),
})
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)

const origin = 'https://app.example'
const preflight = {
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization, x-request-timeout-ms',
  },
}

const arrange = (t: Test, options: AppOptions) => listening(t, buildApp([quick], options))

function corsHeaders(headers: Headers): string[] {
  return Array.from(headers.keys()).filter(name => name.startsWith('access-control-'))
}

test('without origins a page of another origin gets no CORS headers', async t => {
  const ask = await arrange(t, {})
  const got = await ask('/v1/quick', { headers: { origin } })
  t.same(corsHeaders(got.headers), [])
  t.equal(got.headers.get('vary'), 'accept, accept-language')
  const options = await ask('/v1/quick', preflight)
  t.equal(options.status, 204)
  t.equal(options.headers.get('allow'), 'HEAD, GET, OPTIONS')
  t.same(corsHeaders(options.headers), [])
})

test("a page of an allowed origin gets CORS headers, and may read the service's headers", async t => {
  const ask = await arrange(t, { corsOrigins: [origin, 'http://localhost:5173'] })
  const got = await ask('/v1/quick', { headers: { origin } })
  t.equal(got.status, 200)
  t.equal(got.headers.get('access-control-allow-origin'), origin)
  t.equal(got.headers.get('access-control-allow-credentials'), null)
  t.match(got.headers.get('access-control-expose-headers'), /etag.*retry-after.*server-timing.*x-request-id/)
  t.equal(got.headers.get('vary'), 'Origin, accept, accept-language', 'a cache keeps the answers of two origins apart')

  const other = await ask('/v1/quick', { headers: { origin: 'https://evil.example' } })
  t.equal(other.headers.get('access-control-allow-origin'), null)
  t.match(other.headers.get('vary'), 'Origin')
})

test('a preflight needs no key; any other OPTIONS gets the allowed methods', async t => {
  const ask = await arrange(t, { corsOrigins: [origin], keys: ['first-key-0123456789'], rateLimit: 1 })
  for (const path of ['/v1/quick', '/openapi.json']) {
    const got = await ask(path, preflight)
    t.equal(got.status, 204)
    t.equal(got.headers.get('access-control-allow-origin'), origin)
    t.equal(got.headers.get('access-control-allow-methods'), 'GET, HEAD, QUERY, POST, PUT, PATCH, DELETE')
    t.equal(got.headers.get('access-control-allow-headers'), 'authorization, x-request-timeout-ms')
    t.equal(got.headers.get('access-control-max-age'), '600')
  }
  const plain = await ask('/v1/quick', { method: 'OPTIONS', headers: { authorization: 'Bearer first-key-0123456789' } })
  t.equal(plain.status, 204)
  t.equal(plain.headers.get('allow'), 'HEAD, GET, OPTIONS')
  t.equal((await ask('/nowhere', { method: 'OPTIONS' })).status, 404)
})

test('a refusal can be read by the page that was refused', async t => {
  const ask = await arrange(t, { corsOrigins: [origin], keys: ['first-key-0123456789'] })
  const refused = await ask('/v1/quick', { headers: { origin } })
  t.equal(refused.status, 401)
  t.equal(refused.headers.get('access-control-allow-origin'), origin)
})

test('* allows pages of any origin', async t => {
  const ask = await arrange(t, { corsOrigins: ['*'] })
  const got = await ask('/v1/quick', { headers: { origin: 'https://any.example' } })
  t.equal(got.headers.get('access-control-allow-origin'), '*')
  t.equal((await ask('/v1/quick', preflight)).headers.get('access-control-allow-origin'), '*')
})
