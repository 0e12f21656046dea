import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/index.ts'
import { InboundBodies, type OpenBody } from '../../src/http/bodies/inbound-bodies.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { until } from '../helpers/until.ts'

const sink = aggregate('sink', { url: '/v1/sink', body: z.unknown() })
  .required('length', ({ body }) => JSON.stringify(body).length)
  .reply(z.number(), ({ length }) => length)
const quick = aggregate('quick', { url: '/v1/quick' })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)

/** A body that began so many ms ago. */
function body(age = 0) {
  const each: OpenBody & { refusals: number } = {
    since: performance.now() - age,
    bytes: 0,
    refusals: 0,
    refuse() {
      each.refusals++
    },
  }
  return each
}

test('bodies are accepted up to the limit, and a closed body makes room', async t => {
  const bodies = new InboundBodies(100)
  const [one, two, three] = [body(), body(), body()]
  t.ok(bodies.open(one, 60) && bodies.add(one, 60))
  t.notOk(bodies.open(two, 41), 'a length that does not fit is refused at once')
  t.ok(bodies.open(two, 0) && bodies.add(two, 40))
  t.notOk(bodies.add(two, 1))
  t.notOk(bodies.open(three, 0))
  t.same([bodies.bytes, bodies.refused], [100, 3])
  bodies.close(one)
  bodies.close(one)
  t.equal(bodies.bytes, 40)
  t.ok(bodies.open(three, 60) && bodies.add(three, 60))
  t.same(
    [one, two, three].map(({ refusals }) => refusals),
    [0, 0, 0],
    'who asks for room tells its own client',
  )
})

test('at the limit slow bodies are refused, the oldest first', async t => {
  const bodies = new InboundBodies(100)
  const [old, older, empty, young] = [body(2000), body(3000), body(9000), body()]
  for (const each of [empty, older, old, young]) t.ok(bodies.open(each, 0))
  for (const each of [older, old, young]) t.ok(bodies.add(each, 30))
  const next = body()
  t.ok(bodies.open(next, 40) && bodies.add(next, 40))
  t.same(
    [empty, older, old, young].map(({ refusals }) => refusals),
    [0, 1, 0, 0],
  )
  t.notOk(bodies.add(next, 61), 'what is young does not give way')
  t.equal(old.refusals, 1)
  t.equal(bodies.bytes, 70)
})

test('a single body is always accepted, and 0 means no limit', async t => {
  const bodies = new InboundBodies(10)
  const large = body()
  t.ok(bodies.open(large, 1000) && bodies.add(large, 500) && bodies.add(large, 500))
  t.notOk(bodies.open(body(), 1))
  t.equal(large.refusals, 0)
  const none = new InboundBodies(0)
  for (let times = 0; times < 10; times++) {
    const each = body()
    t.ok(none.open(each, 1e9) && none.add(each, 1e9))
  }
})

test('the sum is always that of the open bodies, and within the limit if there are several', async t => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(60), fc.boolean()), { maxLength: 100 }), steps => {
        const bodies = new InboundBodies(100)
        const open = new Map<number, OpenBody>()
        for (const [index, bytes, closes] of steps) {
          let each = open.get(index)
          if (closes && each !== undefined) {
            bodies.close(each)
            open.delete(index)
          } else if (each === undefined) {
            each = {
              since: performance.now() - (index % 2) * 5000,
              bytes: 0,
              refuse: () => {
                open.delete(index)
              },
            }
            if (bodies.open(each, 0)) open.set(index, each)
          } else if (!bodies.add(each, bytes)) {
            bodies.close(each)
            open.delete(index)
          }
          const sum = Array.from(open.values(), ({ bytes: own }) => own).reduce((a, b) => a + b, 0)
          if (
            bodies.bytes !== sum ||
            (bodies.bytes > 100 && Array.from(open.values()).filter(({ bytes: own }) => own > 0).length > 1)
          )
            return false
        }
        return true
      }),
    ),
  )
})

async function serving(t: Test, options: AppOptions) {
  const app = buildApp([sink, quick], options)
  const ask = await listening(t, app)
  /** Begins a body and does not end it. */
  const begin = async (bytes: string | Buffer) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const answer = once(socket, 'data').then(([data]) => String(data))
    await new Promise(resolve => {
      socket.write(bytes, resolve)
    })
    return { socket, answer }
  }
  return { app, ask, begin }
}

const head = 'POST /v1/sink HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n'
const json = { 'content-type': 'application/json' }

test('bodies that never end are refused at the limit, and requests without a body are served', async t => {
  const logged = Promise.withResolvers<string>()
  const write = (line: string) => {
    if (line.includes('request bodies are refused')) logged.resolve(line)
  }
  const { ask, begin } = await serving(t, {
    pressure: { bodiesBytes: 1_000_000, loopDelay: 0, heapPercent: 0 },
    logger: { level: 'warn', stream: { write } },
  })
  const body = Buffer.from(`${head}content-length: 200000\r\n\r\n"${'a'.repeat(199_000)}`)
  const begun = await Promise.all(Array.from({ length: 12 }, () => begin(body)))
  const refused: string[] = []
  await new Promise<void>(resolve => {
    for (const { answer } of begun)
      void answer.then(text => {
        if (refused.push(text) === 7) resolve()
      })
  })
  t.ok(refused.every(text => /^HTTP\/1\.1 503 [^]*\r\nconnection: close\r\n[^]*"code":"OVERLOADED"/i.test(text)))
  t.equal((await ask('/v1/quick')).status, 200)

  await until(
    async () =>
      (await ask('/v1/sink', { method: 'POST', headers: json, body: `"${'b'.repeat(100_000)}"` })).status === 200,
  )
  t.pass('bodies that take longer than a second give way to a new one')
  t.match(await logged.promise, /"level":40,[^]*"bodiesBytes":\d+,"refused":\d+/)
})

test('a client that closes the connection within its body makes room', async t => {
  const { ask, begin } = await serving(t, { pressure: { bodiesBytes: 1000, loopDelay: 0, heapPercent: 0 } })
  const { socket, answer } = await begin(`${head}transfer-encoding: chunked\r\n\r\n3e8\r\n${' '.repeat(1000)}\r\n`)
  answer.catch(() => {})
  isProblem(t, await ask<ProblemBody>('/v1/sink', { method: 'POST', headers: json, body: '{}' }), 503, 'OVERLOADED')
  socket.destroy()
  await until(async () => (await ask('/v1/sink', { method: 'POST', headers: json, body: '{}' })).status === 200)
  t.pass('a later body is read in the room of the closed one')
})

test('a body in chunks of one byte takes about the memory of its bytes', async t => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const { app, begin, ask } = await serving(t, { pressure: { loopDelay: 0, heapPercent: 0 } })
  const used = () => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  await ask('/v1/sink', { method: 'POST', headers: json, body: '{}' })
  const length = 100_000
  const bytes = Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(length)}`)
  const before = used()
  const accepted = once(app.server, 'connection')
  const { socket, answer } = await begin(bytes)
  const [theirs] = (await accepted) as [Socket]
  await until(() => theirs.bytesRead >= bytes.length)
  const grown = used() - before
  t.comment(`heap and buffers grew by ${grown} bytes while ${length} chunks came`)
  t.ok(grown < 30 * length, 'a buffer for each byte would be 200 bytes for each')
  socket.write('2\r\n{}\r\n0\r\n\r\n')
  t.match(await answer, /^HTTP\/1\.1 200 /)
})

test('bodies behave as Fastify documents: length, limit of the route, and streams of hooks', async t => {
  const app = fastify({ bodyLimit: 100 })
  app.addHook('onRoute', route => {
    if (route.url === '/large/v1/sink') route.bodyLimit = 1000
  })
  app.addHook('preParsing', async (request, _reply, payload) =>
    request.headers['x-replaced'] === undefined
      ? payload
      : Object.assign(Readable.from([request.headers['x-replaced'] as string]), {
          receivedEncodedLength: Number(request.headers['content-length']),
        }),
  )
  await app.register(headwaters, { aggregates: [sink] })
  await app.register(headwaters, { aggregates: [sink], prefix: '/large' })
  const ask = await listening(t, app)
  const post = (path: string, body: string, headers: object = {}) =>
    ask<ProblemBody>(path, { method: 'POST', headers: { ...json, ...headers }, body })
  const long = JSON.stringify('a'.repeat(200))
  t.equal((await post('/v1/sink', '"a"')).status, 200)
  isProblem(t, await post('/v1/sink', long), 413, 'PAYLOAD_TOO_LARGE')
  t.equal((await post('/large/v1/sink', long)).status, 200)
  t.match((await post('/v1/sink', '12', { 'x-replaced': '"replaced"' })).body, { data: '"replaced"'.length })
  isProblem(t, await post('/v1/sink', '12', { 'x-replaced': long }), 413, 'PAYLOAD_TOO_LARGE')

  const injected = await app.inject({
    method: 'POST',
    url: '/v1/sink',
    headers: { ...json, 'content-length': '5' },
    payload: '"a"',
  })
  t.match([injected.statusCode, injected.json()], [400, { code: 'BAD_REQUEST' }])
})

test('after all connections are closed no body is counted', async t => {
  const bodies = new InboundBodies(1_000_000)
  const app = fastify()
  const held: (() => void)[] = []
  app.addHook('preParsing', async request => {
    if (request.headers['x-hold'] !== undefined)
      await new Promise<void>(resolve => {
        held.push(resolve)
      })
  })
  await app.register(headwaters, { aggregates: [sink], bodies })
  const ask = await listening(t, app)
  const begin = async (bytes: string) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    await new Promise(resolve => {
      socket.write(bytes, resolve)
    })
    return socket
  }
  const large = `"${'a'.repeat(300_000)}"`
  const sockets = await Promise.all([
    begin(head),
    begin(`${head}content-length: 1000\r\n\r\n`),
    begin(`${head}content-length: 1000\r\n\r\n"aaa`),
    begin(`${head}transfer-encoding: chunked\r\n\r\n3e8\r\n${' '.repeat(1000)}\r\n`),
    begin(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`),
    begin(`${head}content-length: 9000000\r\n\r\n${' '.repeat(100_000)}`),
    begin(`${head}content-length: ${large.length}\r\n\r\n${large}`),
    begin(`${head}content-length: 2\r\n\r\n{}${head}content-length: 1000\r\n\r\n"aaa`),
    begin(`${head}x-hold: 1\r\ncontent-length: 1000\r\n\r\n"aaa`),
    begin(`${head}x-hold: 1\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n`),
  ])
  await until(() => held.length >= 2)
  const closed = new Promise<void>(resolve => {
    const count = () => {
      app.server.getConnections((_error, left) => {
        if (left === 0) resolve()
        else setImmediate(count)
      })
    }
    for (const socket of sockets) socket.destroy()
    count()
  })
  await closed
  for (const resolve of held) resolve()
  t.equal((await ask('/v1/sink', { method: 'POST', headers: json, body: large })).status, 200)
  t.same([bodies.bytes, bodies.count], [0, 0])
})

test('large bodies that wait to be parsed are counted, and parsed ones are not', async t => {
  const bodies = new InboundBodies(10_000_000)
  const app = fastify()
  const counted: number[] = []
  app.addHook('preValidation', (_request, _reply, done) => {
    counted.push(bodies.bytes)
    done()
  })
  await app.register(headwaters, { aggregates: [sink], bodies })
  await app.ready()
  const large = Buffer.from(
    JSON.stringify(Array.from({ length: 90_000 }, (_, index) => ({ [`name${index}`]: index })))
      .slice(0, 900_000)
      .replace(/,[^,]*$/, ']'),
  )
  // Injected bodies come whole in one turn of the loop.
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => app.inject({ method: 'POST', url: '/v1/sink', headers: json, payload: large })),
  )
  t.same(
    answers.map(({ statusCode }) => statusCode),
    Array.from(answers, () => 200),
  )
  t.ok(
    counted.some(bytes => bytes >= 2 * large.length),
    `${counted.join(', ')} bytes wait`,
  )
  t.same([counted.at(-1), bodies.bytes, bodies.count], [0, 0, 0])
})
