import { test } from 'tap'
import type { ProblemBody } from '../../helpers/problem.ts'
import { isProblem } from '../../helpers/problem.ts'
import { batchApp, prices } from './helpers/batch-app.ts'

test('a batch counts one request per call towards the rate limit', async t => {
  const { ask, send } = await batchApp(t, { options: { rateLimit: 10 } })
  t.equal((await send(prices(4))).status, 200)
  t.equal((await ask('/hello?name=a')).status, 200)
  t.equal((await send(prices(5), { method: 'QUERY' })).status, 200)
  isProblem(t, await ask<ProblemBody>('/hello?name=a'), 429, 'RATE_LIMITED')
})

test('a batch above the rate limit gets 429, and nothing is sent', async t => {
  const { send, upstream } = await batchApp(t, { options: { rateLimit: 10 } })
  const refused = await send<ProblemBody>(prices(11))
  isProblem(t, refused, 429, 'RATE_LIMITED')
  t.match(refused.body.detail, /the batch has 11 calls, and the limit is 10 per minute/)
  t.ok(Number(refused.headers.get('retry-after')) > 0)
  t.equal(upstream.requests.length, 0)
})

test('a body with too many calls counts as the largest batch, and one that is not a batch counts once', async t => {
  const { ask, send } = await batchApp(t, { options: { rateLimit: 10 }, batch: { maxCalls: 3 } })
  t.equal((await send({ calls: 'a lot' })).status, 400)
  t.equal((await send(null)).status, 400)
  t.equal((await send(prices(100))).status, 400)
  const statuses = []
  for (let index = 0; index < 6; index++) statuses.push((await ask('/hello?name=a')).status)
  t.same(statuses, [200, 200, 200, 200, 200, 429], '1 + 1 + 3 of 10 were counted')
})

test('a body above bodyBytes gets 413, whatever the limit of other bodies is', async t => {
  const { send } = await batchApp(t, { batch: { bodyBytes: 1000 } })
  t.equal((await send(prices(5))).status, 200)
  isProblem(t, await send<ProblemBody>(prices(50)), 413, 'PAYLOAD_TOO_LARGE')
  const larger = await batchApp(t, { options: { limits: { bodyBytes: 100 } }, batch: { bodyBytes: 10_000 } })
  t.equal((await larger.send(prices(50))).status, 200)
})

test('the body of a batch may have as many bytes as any body by default', async t => {
  const { send } = await batchApp(t, { options: { limits: { bodyBytes: 1000 } } })
  isProblem(t, await send<ProblemBody>(prices(50)), 413, 'PAYLOAD_TOO_LARGE')
})

test('a batch needs a key if the service has keys', async t => {
  const { send } = await batchApp(t, { options: { keys: ['first-key-0123456789'] } })
  isProblem(t, await send<ProblemBody>(prices(1)), 401, 'UNAUTHENTICATED')
  t.equal((await send(prices(1), { headers: { authorization: 'Bearer first-key-0123456789' } })).status, 200)
})

test('a page of an allowed origin may send QUERY after a preflight request', async t => {
  const { ask, send } = await batchApp(t, { options: { corsOrigins: ['https://app.example'] } })
  const preflight = await ask('/v1/batch', {
    method: 'OPTIONS',
    headers: {
      origin: 'https://app.example',
      'access-control-request-method': 'QUERY',
      'access-control-request-headers': 'content-type',
    },
  })
  t.equal(preflight.status, 204)
  t.match(preflight.headers.get('access-control-allow-methods'), 'QUERY')
  t.match(preflight.headers.get('access-control-allow-headers'), 'content-type')
  const got = await send(prices(1), { method: 'QUERY', headers: { origin: 'https://app.example' } })
  t.equal(got.headers.get('access-control-allow-origin'), 'https://app.example')
})
