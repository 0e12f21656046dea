import { createHmac } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import type { CustomLayer } from '../../../src/upstream/spec/layer-types.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { json, rawUpstream, type RawRequest } from '../../helpers/raw-upstream.ts'

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  shared: operation({ path: '/shared', output: z.unknown(), coalesce: true }),
}
const catsAt = (origin: string, options: Partial<UpstreamOptions> = {}) =>
  defineUpstream('cats', { origin, retry: { maxAttempts: 3, initialDelay: 0 }, ...options }, operations)
const header = ({ headers }: RawRequest | undefined = { headers: [] } as unknown as RawRequest, wanted: string) =>
  headers
    .filter(([name]) => name === wanted)
    .map(([, value]) => value)
    .join(' and ')

test('layers of the app stand outside those of the upstream, at a call once and at an attempt each time', async t => {
  const raw = await rawUpstream(t, (socket, { index }) => socket.write(json('well', index < 2 ? 503 : 200)))
  const log: string[] = []
  const telling =
    (name: string): CustomLayer =>
    (next, { name: upstream, origin, prefix }) =>
    async call => {
      log.push(`${name} ${call.attempt}`)
      t.same({ upstream, origin, prefix }, { upstream: 'cats', origin: raw.origin, prefix: '/v2' })
      return next(call)
    }
  const cats = catsAt('http://cats.test', {
    layers: { call: [telling('own call')], attempt: [telling('own attempt')] },
  })
  const runtime = createRuntime({
    overrides: { cats: { origin: `${raw.origin}/v2` } },
    layers: { call: [telling('app call'), telling('app call too')], attempt: [telling('app attempt')] },
  })
  t.teardown(() => runtime.close())
  t.same(await runtime.send(testRun().ask(cats.ask())), { value: 'well', status: 200 })
  t.same(log, [
    'app call 0',
    'app call too 0',
    'own call 0',
    ...[1, 2, 3].flatMap(attempt => [`app attempt ${attempt}`, `own attempt ${attempt}`]),
  ])
})

test('an async signing layer signs each attempt again', async t => {
  const key = 'a key'
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('hex')
  const raw = await rawUpstream(t, (socket, request) => {
    const isSigned =
      header(request, 'authorization') === sign(`${request.method} ${request.path} ${header(request, 'x-nonce')}`)
    socket.write(json({ nonce: header(request, 'x-nonce') }, isSigned ? (request.index === 0 ? 503 : 200) : 401))
  })
  let nonce = 0
  const signing: CustomLayer =
    (next, { prefix }) =>
    async call => {
      const used = String(nonce++)
      await turn(undefined, { signal: call.signal })
      return next(
        call.with({
          headers: { 'x-nonce': used, authorization: sign(`${call.method} ${prefix}${call.path} ${used}`) },
        }),
      )
    }
  const cats = catsAt(raw.origin, { layers: { attempt: [signing] } })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.same(await runtime.send(testRun().ask(cats.ask())), { value: { nonce: '1' }, status: 200 })
  t.same(
    raw.requests.map(request => header(request, 'x-nonce')),
    ['0', '1'],
  )
})

test('the time of a signer is the time of the attempt, and a slow one is cut with it', async t => {
  const raw = await rawUpstream(t, json('well'))
  const cats = catsAt(raw.origin, {
    attemptTimeout: 20,
    retry: false,
    layers: { attempt: [() => () => new Promise(() => {})] },
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.match(await failure(runtime.send(testRun().ask(cats.ask()))), { code: 'UPSTREAM_TIMEOUT' })
  t.match(runtime.stats(), { cats: { active: 0, failed: 1 } })
  t.equal(raw.requests.length, 0)
})

test('headers of a layer stand over those that are forwarded, declared or written by us', async t => {
  const raw = await rawUpstream(t, json('well'))
  const cats = catsAt(raw.origin, {
    forwardHeaders: ['authorization', 'x-tenant'],
    headers: { 'X-Client': 'declared' },
    layers: {
      attempt: [
        next => call =>
          next(call.with({ headers: { Authorization: 'layer', 'x-client': 'layer', 'user-agent': 'layer' } })),
      ],
    },
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await runtime.send(testRun({ headers: { authorization: 'inbound', 'x-tenant': 'a' } }).ask(cats.ask()))
  const [request] = raw.requests
  t.same(
    ['authorization', 'x-client', 'user-agent', 'x-tenant', 'accept'].map(name => header(request, name)),
    ['layer', 'layer', 'layer', 'a', 'application/json, application/*+json, text/json'],
  )
})

test('calls that a layer gives different headers never share an answer, and those with the same do', async t => {
  const raw = await rawUpstream(t, (socket, request) =>
    setImmediate(() => socket.write(json(header(request, 'x-user') + header(request, 'x-also')))),
  )
  const cats = catsAt(raw.origin, {
    layers: {
      call: [
        next => call => {
          const user = { 'x-user': String(call.inbound['cookie']) }
          // In either order: the same headers are the same call.
          return next(
            call.inbound['first'] === undefined
              ? call.with({ headers: user }).with({ headers: { 'x-also': '!' } })
              : call.with({ headers: { 'x-also': '!' } }).with({ headers: user }),
          )
        },
      ],
    },
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const asked = [{ cookie: 'ada' }, { cookie: 'bob' }, { cookie: 'ada', first: 'yes' }, { cookie: 'bob' }].map(
    headers => runtime.send(testRun({ headers }).ask(cats.shared())),
  )
  t.same(
    (await Promise.all(asked)).map(({ value }) => value),
    ['ada!', 'bob!', 'ada!', 'bob!'],
  )
  t.equal(raw.requests.length, 2)
})

test('a layer of an attempt sees the forwarded headers alone, since only those decide about sharing', async t => {
  const raw = await rawUpstream(t, json('well'))
  const seen: unknown[] = []
  const cats = catsAt(raw.origin, {
    forwardHeaders: ['X-Tenant'],
    layers: {
      attempt: [
        next => call => {
          seen.push(call.inbound)
          return next(call)
        },
      ],
    },
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  await runtime.send(testRun({ headers: { cookie: 'secret', 'x-tenant': 'a' } }).ask(cats.shared()))
  t.same(seen, [{ 'x-tenant': 'a' }])
})

test('two runtimes open a layer each, so that their state is their own', async t => {
  const raw = await rawUpstream(t, json('well'))
  const counts: number[] = []
  const counting: CustomLayer = next => {
    let calls = 0
    return call => {
      counts.push(++calls)
      return next(call)
    }
  }
  const cats = catsAt(raw.origin, { layers: { call: [counting] } })
  for (let runs = 0; runs < 2; runs++) {
    const runtime = createRuntime()
    t.teardown(() => runtime.close())
    await runtime.send(testRun().ask(cats.ask()))
    await runtime.send(testRun().ask(cats.ask()))
  }
  t.same(counts, [1, 2, 1, 2])
})

test('layers that are not functions, or at a position that does not exist, are refused where they are declared', t => {
  const layer: CustomLayer = next => call => next(call)
  const message = 'layers.call must be a list of functions: layers: { call: [next => call => next(call)] }'
  for (const wrong of [layer, 'logging', [null], ['logging'], [{ layer, at: 'call' }]]) {
    t.throws(() => catsAt('http://cats.test', { layers: { call: wrong } as never }), {
      message: `upstream 'cats': ${message}`,
    })
    t.throws(() => createRuntime({ layers: { call: wrong } as never }), { message: `runtime: ${message}` })
  }
  for (const wrong of [[layer], layer, null])
    t.throws(() => catsAt('http://cats.test', { layers: wrong as never }), {
      message: "upstream 'cats': layers must be an object with some of call, attempt",
    })
  t.throws(() => createRuntime({ layers: { top: [layer] } as never }), {
    message: "runtime: unknown option 'layers.top': use call, attempt",
  })
  t.end()
})
