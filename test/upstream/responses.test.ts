import { gzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, env, operation, type Operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, written, type Script } from '../helpers/raw-upstream.ts'
import { wire } from '../helpers/wire.ts'

const Order = z.object({ id: z.string() })
const Fault = z.object({ message: z.string() })
const own = "the upstream's own words"

const order = operation({
  path: '/orders/1',
  responses: { 200: Order, 201: Order, 204: z.null(), 302: z.null(), 404: Fault.nullable(), 409: Fault },
})
const create = operation({
  method: 'POST',
  path: '/orders',
  body: z.object({ sku: z.string() }),
  responses: { 201: Order, 409: Fault, 503: Fault },
  idempotencyKey: ({ body }) => body.sku,
})
const busy = operation({
  path: '/orders/1',
  responses: { 200: Order, 408: Fault, 425: Fault, 429: Fault, 500: Fault, 503: Fault.nullable() },
})

const fault = { message: 'taken' }
const soon = { maxAttempts: 2, initialDelay: 0, maxDelay: 0 }

/** Answers the requests one after the other, and all later ones with the last answer. */
function inTurn(...answers: readonly (string | Buffer)[]): Script {
  return (socket, { index }) => socket.write(answers[Math.min(index, answers.length - 1)] as Buffer)
}

async function ask<T>(t: Test, script: Script, what: Operation<object, T>, options: Partial<UpstreamOptions> = {}) {
  const { send } = await wire(t, script, what, options)
  return send()
}

test('a listed status is an answer with its status and its own body', async t => {
  for (const [status, body, value] of [
    [200, { id: 'a', more: 1 }, { id: 'a' }],
    [201, { id: 'b' }, { id: 'b' }],
    [404, { message: 'gone', secret: 1 }, { message: 'gone' }],
    [409, fault, fault],
  ] as const)
    t.same(await ask(t, json(body, status), order), { value: { status, body: value }, status })
})

test('a body without content is null for the schema of its status', async t => {
  for (const [status, answer] of [
    [204, 'HTTP/1.1 204 No Content\r\n\r\n'],
    [302, written(302, { location: '/elsewhere' }, '')],
    [404, written(404, { 'content-type': 'text/html' }, '')],
    [404, json('', 404).subarray(0, -2).toString().replace('content-length: 2', 'content-length: 0')],
    [404, written(404, { 'content-type': 'application/json' }, ' \n')],
  ] as const)
    t.same(await ask(t, answer, order), { value: { status, body: null }, status })
  t.match(await failure(ask(t, written(409, {}, ''), order)), { code: 'UPSTREAM_SCHEMA', upstreamStatus: 409 })
})

test('a listed 205 is read without its body', async t => {
  const reset = operation({ path: '/', responses: { 205: z.null() } })
  for (const answer of [written(205, {}, ''), written(205, { 'content-type': 'text/html' }, '<br>')])
    t.same(await ask(t, answer, reset), { value: { status: 205, body: null }, status: 205 })
  const refused = operation({ path: '/', responses: { 205: z.object({}) } })
  t.match(await failure(ask(t, written(205, {}, ''), refused)), { code: 'UPSTREAM_SCHEMA', upstreamStatus: 205 })
})

test('a status that is not listed fails, a success too', async t => {
  for (const status of [202, 205, 206, 301, 400, 410, 503])
    t.match(await failure(ask(t, json({ message: own }, status), order)), {
      code: status === 503 ? 'UPSTREAM_BUSY' : 'UPSTREAM_STATUS',
      upstreamStatus: status,
      message: new RegExp(`status ${status}$`),
    })
})

test('a body that its schema refuses fails with UPSTREAM_SCHEMA, and shows nothing of the body', async t => {
  const error = await failure(ask(t, json({ secret: own }, 409), order))
  t.match(error, { code: 'UPSTREAM_SCHEMA', upstreamStatus: 409, retryable: false })
  t.notMatch((error as Error).message, own)
  t.match(await failure(ask(t, json(fault, 200), order)), { code: 'UPSTREAM_SCHEMA', upstreamStatus: 200 })
})

test('a listed status has the limits of every body', async t => {
  const long = json({ message: 'x'.repeat(2000) }, 409)
  t.match(await failure(ask(t, long, order, { maxResponseBytes: 1000 })), { code: 'UPSTREAM_TOO_LARGE' })
  const html = written(409, { 'content-type': 'text/html' }, '<p>'.repeat(20_000))
  t.match(await failure(ask(t, html, order)), { code: 'UPSTREAM_CONTENT_TYPE', upstreamStatus: 409 })
  const zipped = written(
    409,
    { 'content-type': 'application/problem+json', 'content-encoding': 'gzip' },
    gzipSync(JSON.stringify(fault)),
  )
  t.match(await ask(t, zipped, order), { value: { status: 409, body: fault } })
  const deep = operation({ path: '/', responses: { 200: Order, 409: z.unknown() } })
  t.match(await failure(ask(t, json(JSON.parse('['.repeat(70) + ']'.repeat(70)), 409), deep)), {
    code: 'UPSTREAM_SCHEMA',
    message: /nested deeper/,
  })
})

test('a large body of a listed status is read in steps, by the schema of its status', async t => {
  const rows = Array.from({ length: 30_000 }, (_, row) => row)
  const list = operation({
    path: '/',
    responses: { 200: z.array(z.string()), 409: z.array(z.number()), 410: z.null() },
  })
  t.same((await ask(t, json(rows, 409), list)).value, { status: 409, body: rows })
  t.match(await failure(ask(t, json(rows, 200), list)), { code: 'UPSTREAM_SCHEMA' })
  const blank = written(410, { 'content-type': 'application/json' }, ' '.repeat(200_000))
  t.same((await ask(t, blank, list)).value, { status: 410, body: null })
})

test('a listed status is read as text and as bytes', async t => {
  const text = operation({ path: '/', responseType: 'text', responses: { 200: z.string(), 404: z.string() } })
  for (const length of [10, 200_000])
    t.same((await ask(t, written(404, { 'content-type': 'text/plain' }, 'x'.repeat(length)), text)).value, {
      status: 404,
      body: 'x'.repeat(length),
    })
  const bytes = operation({ path: '/', responseType: 'bytes', responses: { 404: z.instanceof(Uint8Array) } })
  t.same((await ask(t, written(404, {}, 'abc'), bytes)).value, { status: 404, body: Buffer.from('abc') })
})

test('the headers of a listed status are part of its value', async t => {
  const paged = operation({
    path: '/',
    responses: { 200: Order, 302: z.null(), 503: z.null() },
    responseHeaders: z.object({ location: z.string() }),
  })
  const headers = { location: '/next' }
  t.same((await ask(t, json({ id: 'a' }, 200, headers), paged)).value, { status: 200, body: { id: 'a' }, headers })
  t.same((await ask(t, written(302, headers, ''), paged)).value, { status: 302, body: null, headers })
  t.same((await ask(t, written(503, headers, ''), paged)).value, { status: 503, body: null, headers })
  t.match(await failure(ask(t, json({ id: 'a' }), paged)), { code: 'UPSTREAM_SCHEMA' })
  t.match(await failure(ask(t, written(503, {}, ''), paged)), { code: 'UPSTREAM_BUSY' }, 'its headers do not fit')
})

test('the answer to a HEAD has the body null', async t => {
  const head = operation({ method: 'HEAD', path: '/', responses: { 200: z.null(), 404: z.null(), 500: z.null() } })
  for (const status of [200, 404, 500])
    t.match(
      await ask(t, `HTTP/1.1 ${status} Whatever\r\ncontent-type: text/html\r\ncontent-length: 9000000\r\n\r\n`, head),
      { value: { status, body: null } },
    )
})

test('a listed status that may pass is retried, and the answer is that of the last attempt', async t => {
  for (const status of [408, 425, 429, 500, 503]) {
    const script = inTurn(json({ message: 'first' }, status), json({ message: 'last' }, status))
    const { send, upstream } = await wire(t, script, busy, { retry: soon })
    const run = testRun()
    t.same(await send(run), { value: { status, body: { message: 'last' } }, status })
    t.equal(upstream.requests.length, 2)
    t.match(
      run.events.filter(({ type }) => type === 'call ended'),
      [{ status, code: undefined, attempts: 2 }],
    )
  }
  const recovered = await wire(t, inTurn(json(fault, 503), json({ id: 'a' })), busy, { retry: soon })
  t.same((await recovered.send()).value, { status: 200, body: { id: 'a' } })
  const lost: Script = (socket, { index }) => (index === 0 ? socket.write(json(fault, 503)) : socket.destroy())
  t.match(await failure((await wire(t, lost, busy, { retry: soon })).send()), { code: 'UPSTREAM_RESET' })
})

test('a listed failure is the answer if the retry is refused', async t => {
  const script = json({ message: 'wait' }, 503, { 'retry-after': '20' })
  const { send, upstream } = await wire(t, script, busy, { retry: soon })
  t.match(await send(testRun({ deadline: 5000 })), { value: { status: 503, body: { message: 'wait' } } })
  t.equal(upstream.requests.length, 1, 'the pause is longer than the deadline')
  const open = await wire(t, inTurn(json(fault, 500), json({ id: 'a' })), busy, {
    retry: soon,
    breaker: { minimumCalls: 1, consecutiveFailures: 1 },
  })
  t.match(await open.send(), { value: { status: 500, body: fault } }, 'the breaker refuses the second attempt')
  t.match(await failure(open.send()), { code: 'BREAKER_OPEN' }, 'the attempt has counted for the breaker')
})

test('a listed 409 counts as a success for the breaker', async t => {
  const { send } = await wire(t, json(fault, 409), order, { breaker: { minimumCalls: 1, consecutiveFailures: 1 } })
  for (let time = 0; time < 5; time++) t.match(await send(), { value: { status: 409 } })
})

test('a failure whose body cannot be read stays the failure of its status', async t => {
  const broken: Script = socket =>
    socket.end('HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{')
  for (const [what, script, options] of [
    ['HTML', written(503, { 'content-type': 'text/html' }, '<p>'), {}],
    ['an unknown coding', written(503, { 'content-type': 'application/json', 'content-encoding': 'x' }, '{}'), {}],
    ['a body over the limit', json({ message: 'x'.repeat(2000) }, 503), { maxResponseBytes: 1000 }],
    [
      'chunks over the limit',
      `HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n`,
      { maxResponseBytes: 1000 },
    ],
    ['another body', json({ text: own }, 503), {}],
    ['not JSON', written(503, { 'content-type': 'application/json' }, '{'), {}],
    ['a body that breaks off', broken, {}],
    ['damaged gzip', written(503, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'gzip'), {}],
  ] as const) {
    const error = await failure(ask(t, script, busy, options))
    t.match(error, { code: 'UPSTREAM_BUSY', upstreamStatus: 503, retryable: true }, what)
    t.notMatch((error as Error).message, own)
  }
  const chunked = 'HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ntransfer-encoding: gzip\r\n\r\n'
  t.match(await failure(ask(t, chunked, busy)), { code: 'UPSTREAM_PROTOCOL' }, 'its end cannot be found')
})

test('a failure whose body does not end is aborted by the timeout of its attempt', async t => {
  const endless: Script = socket =>
    socket.write('HTTP/1.1 503 Busy\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{')
  t.match(await failure(ask(t, endless, busy, { attemptTimeout: 30 })), { code: 'UPSTREAM_TIMEOUT' })
})

test('a 429 that limits one caller is the answer at once, and counts for nothing', async t => {
  const { send, upstream } = await wire(t, json(fault, 429), busy, {
    retry: soon,
    forwardHeaders: ['x-user'],
    breaker: { minimumCalls: 1, consecutiveFailures: 1 },
  })
  for (let time = 1; time <= 3; time++) {
    t.match(await send(testRun({ headers: { 'x-user': 'a' } })), { value: { status: 429, body: fault } })
    t.equal(upstream.requests.length, time, 'no attempt is repeated')
  }
})

test('a listed 401 is the answer after one new token', async t => {
  let tokens = 0
  const raw = await rawUpstream(t, (socket, { path, headers }) => {
    if (path === '/token')
      return socket.write(json({ access_token: `t${++tokens}`, token_type: 'Bearer', expires_in: 60 }))
    const token = headers.find(([name]) => name === 'authorization')?.[1]
    return socket.write(json({ message: token }, 401))
  })
  const secret = env('SECRET')
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin,
      auth: { oauth2: { tokenUrl: `${raw.origin}/token`, clientId: 'a', clientSecret: secret } },
    },
    { order: operation({ path: '/orders/1', responses: { 200: Order, 401: Fault } }) },
  )
  const runtime = createRuntime({ environment: { SECRET: 's' } })
  t.teardown(() => runtime.close())
  t.match(await runtime.send(testRun().ask(cats.order())), { value: { status: 401, body: { message: 'Bearer t2' } } })
  t.equal(tokens, 2)
  const plain = operation({ path: '/', responses: { 401: Fault } })
  t.match(await ask(t, json(fault, 401), plain), { value: { status: 401, body: fault } })
})

test('an unsafe call gets a listed 503 after one attempt, and with an idempotency key after two', async t => {
  const { idempotencyKey: _, ...unkeyed } = {
    method: 'POST',
    path: '/orders',
    responses: { 503: Fault },
    idempotencyKey: () => 'a',
  } as const
  const plain = await wire(t, json(fault, 503), operation(unkeyed), { retry: soon })
  t.match(await plain.send(), { value: { status: 503, body: fault } })
  t.equal(plain.upstream.requests.length, 1)
  const keyed = await wire(t, json(fault, 503), create, { retry: soon })
  t.match(await keyed.send(testRun(), { body: { sku: 'a' } }), { value: { status: 503, body: fault } })
  t.equal(keyed.upstream.requests.length, 2)
})

test('an unknown outcome is not replaced by a later 409 or 503, and is replaced by a later success', async t => {
  for (const [status, code] of [
    [409, 'OUTCOME_UNKNOWN'],
    [503, 'OUTCOME_UNKNOWN'],
    [201, undefined],
  ] as const) {
    const script: Script = (socket, { index }) =>
      index === 0 ? socket.destroy() : socket.write(json(status === 201 ? { id: 'a' } : fault, status))
    const { send, upstream } = await wire(t, script, create, { retry: soon })
    const sent = send(testRun(), { body: { sku: 'a' } })
    if (code === undefined) t.match(await sent, { value: { status: 201, body: { id: 'a' } } })
    else t.match(await failure(sent), { code })
    t.equal(upstream.requests.length, 2)
  }
})

test('a hedged call takes a listed 404 of its second attempt, and a failed one gives the answer of its first', async t => {
  const hedged = operation({ path: '/', responses: { 200: Order, 404: Fault, 503: Fault } })
  const script =
    (first: number, second: number): Script =>
    (socket, { index }) =>
      index === 0
        ? setTimeout(() => socket.write(json({ message: 'first' }, first)), 60)
        : socket.write(json({ message: 'second' }, second))
  const options = { hedge: { delay: 5, maxRatio: 1 }, retryBudget: { minPerSecond: 100 } }
  t.match((await ask(t, script(404, 404), hedged, options)).value, { status: 404, body: { message: 'second' } })
  t.match((await ask(t, script(503, 503), hedged, options)).value, { status: 503, body: { message: 'first' } })
})

test('equal calls share a listed answer and a listed failure, which are frozen', async t => {
  const shared = operation({ path: '/', responses: { 404: Fault, 503: Fault }, coalesce: true })
  for (const status of [404, 503]) {
    const { send, upstream } = await wire(t, json(fault, status), shared)
    const [one, two] = await Promise.all([send(), send()])
    t.equal(upstream.requests.length, 1)
    t.equal(one.value, two.value)
    t.same(one.value, { status, body: fault })
    t.ok(Object.isFrozen(one.value) && Object.isFrozen(one.value.body))
  }
})

const day = { 'cache-control': 'max-age=86400' }

test('a cache stores a listed status with a lifetime, reads it by its schema, and never stores a listed failure', async t => {
  for (const [status, body, head, second] of [
    [200, { id: 'a' }, day, 'hit'],
    [404, fault, day, 'hit'],
    [404, fault, {}, 'miss'],
    [503, fault, day, 'miss'],
  ] as const) {
    const kept = operation({ path: '/', responses: { 200: Order, 404: Fault, 503: Fault }, cache: { ttl: 60_000 } })
    const { send } = await wire(t, json(body, status, head), kept)
    t.match(await send(), { value: { status, body }, cached: { cache: 'miss' } })
    t.match(await send(), { value: { status, body }, cached: { cache: second } }, `${status}`)
  }
})

test('a stored answer is revalidated with its status, and its headers are renewed', async t => {
  const kept = operation({
    path: '/',
    responses: { 200: Order, 404: Fault },
    responseHeaders: z.object({ 'x-version': z.string() }),
    cache: true,
  })
  const head = { 'cache-control': 'no-cache', etag: '"a"' }
  const script: Script = (socket, { index, headers }) => {
    const isConditional = headers.some(([name]) => name === 'if-none-match')
    socket.write(
      isConditional
        ? written(304, { ...head, 'x-version': String(index), 'content-length': undefined }, '')
        : json({ id: 'a' }, 200, { ...head, 'x-version': String(index) }),
    )
  }
  const { send, upstream } = await wire(t, script, kept)
  for (let time = 0; time < 3; time++)
    t.match((await send()).value, { status: 200, body: { id: 'a' }, headers: { 'x-version': String(time) } })
  t.equal(upstream.requests.length, 3)
})

test('a stale answer replaces a listed 503, and a listed 404 replaces the stored answer', async t => {
  const kept = operation({
    path: '/',
    responses: { 200: Order, 404: Fault, 503: Fault },
    cache: { staleIfError: 60_000, staleAfter: 60_000 },
  })
  const stale = await wire(t, inTurn(json({ id: 'a' }), json(fault, 503)), kept)
  await stale.send()
  t.match(await stale.send(), {
    value: { status: 200 },
    cached: { cache: 'stale', insteadOf: { upstreamStatus: 503 } },
  })
  const gone = await wire(t, inTurn(json({ id: 'a' }), json(fault, 404), json(fault, 503)), kept)
  await gone.send()
  t.match(await gone.send(), { value: { status: 404 }, cached: { cache: 'miss' } })
  t.match(await gone.send(), { value: { status: 503 }, cached: { cache: 'miss' } }, 'the stored answer is removed')
})

test('an unsafe call that gets a listed 409 invalidates nothing, and one with a listed 201 its URI', async t => {
  for (const [status, expected] of [
    [201, 'miss'],
    [409, 'hit'],
    [503, 'hit'],
  ] as const) {
    const raw = await rawUpstream(t, (socket, { method }) =>
      socket.write(method === 'GET' ? json({ id: 'a' }, 200, day) : json(status === 201 ? { id: 'a' } : fault, status)),
    )
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    const shop = defineUpstream(
      'shop',
      { origin: raw.origin },
      {
        read: operation({ path: '/orders', responses: { 200: Order }, cache: true }),
        create: operation({ method: 'POST', path: '/orders', responses: { 201: Order, 409: Fault, 503: Fault } }),
      },
    )
    await runtime.send(testRun().ask(shop.read()))
    t.match(await runtime.send(testRun().ask(shop.create())), { status })
    t.equal((await runtime.send(testRun().ask(shop.read()))).cached?.cache, expected, `${status}`)
  }
})

test('a layer of layers.call sees the answer of a listed 503, and a layer of layers.attempt its failure', async t => {
  const seen: string[] = []
  const watch =
    (at: string): CustomLayer =>
    next =>
    async call => {
      try {
        const answer = await next(call)
        seen.push(`${at}: answer ${answer.status}`)
        return answer
      } catch (error) {
        seen.push(`${at}: ${(error as { code: string }).code}`)
        throw error
      }
    }
  const layers = { call: [watch('call')], attempt: [watch('attempt')] }
  t.match(await ask(t, json(fault, 503), busy, { layers }), { value: { status: 503, body: fault } })
  t.same(seen, ['attempt: UPSTREAM_BUSY', 'call: answer 503'])
})

test('an error that a layer has kept gives no answer to a call of another operation', async t => {
  let kept: unknown
  const keeping: CustomLayer = next => async call => {
    if (kept !== undefined) throw kept
    try {
      return await next(call)
    } catch (error) {
      kept = error
      throw error
    }
  }
  const raw = await rawUpstream(t, json(fault, 503))
  const shop = defineUpstream(
    'shop',
    { origin: raw.origin, retry: false, layers: { attempt: [keeping] } },
    { busy, order },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.match(await runtime.send(testRun().ask(shop.busy())), { value: { status: 503 } })
  t.equal(await failure(runtime.send(testRun().ask(shop.order()))), kept)
})

test('a step branches on the status, its source is ok, and the caller sees nothing of the body by itself', async t => {
  const raw = await rawUpstream(t, (socket, { path }) =>
    socket.write(path === '/orders/1' ? json({ message: own }, 409) : json({ message: own }, 503)),
  )
  const shop = defineUpstream(
    'shop',
    { origin: raw.origin, retry: false },
    { order, busy: operation({ path: '/busy', responses: { 200: Order, 503: Fault } }) },
  )
  const bought = aggregate('bought', { url: '/bought' })
    .required('order', () => shop.order())
    .firstOf('busy', () => [shop.busy()])
    .reply(z.object({ order: z.string(), busy: z.number() }), ({ order, busy }) => ({
      order: order.status === 409 ? 'taken' : order.status === 200 ? order.body.id : 'none',
      busy: busy.status,
    }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const reply = await fanOut(bought, {}, { runtime })
  t.match(reply, {
    data: { order: 'taken', busy: 503 },
    complete: true,
    sources: { order: { state: 'ok', status: 409, attempts: 1 }, busy: { state: 'ok', ok: 1, failed: [] } },
  })
  t.notMatch(JSON.stringify(reply), own)
})
