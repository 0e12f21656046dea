import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../src/core/abort.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { dispatch } from '../../src/upstream/transport/dispatch.ts'
import { openPool } from '../../src/upstream/transport/pool.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, written, type RawRequest } from '../helpers/raw-upstream.ts'
import { rest, turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

const params = z.object({ id: z.string() })
const operations = {
  get: operation({ path: '/{id}', params, output: z.unknown() }),
  head: operation({ method: 'HEAD', path: '/{id}', params, output: z.unknown(), allowEmpty: true }),
  post: operation({ method: 'POST', path: '/{id}', params, output: z.unknown() }),
  options: operation({ method: 'OPTIONS', path: '/{id}', params, output: z.unknown() }),
  search: operation({ method: 'POST', safe: true, path: '/{id}', params, body: z.string(), output: z.unknown() }),
  query: operation({ method: 'QUERY', path: '/{id}', params, body: z.string(), output: z.unknown() }),
}

/** A trusted upstream, whose answers the test gives where it wants to; its first connection is open. */
async function arrange(
  t: Test,
  options: Partial<UpstreamOptions> = {},
  script = (socket: Socket, { path }: RawRequest): unknown => socket.write(json(path)),
) {
  const reads: number[] = []
  let answer: (socket: Socket, request: RawRequest) => unknown = (socket, { path }) => socket.write(json(path))
  const raw = await rawUpstream(
    t,
    (socket, request) => {
      answer(socket, request)
    },
    undefined,
    (socket, connection) => {
      socket.on('data', () => {
        reads[connection] = (reads[connection] ?? 0) + 1
      })
    },
  )
  const upstream = defineUpstream(
    'ours',
    { origin: raw.origin, pipelining: 4, retry: false, breaker: false, ...options },
    operations,
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = testRun()
  const send = (call = upstream.get({ id: 'a' }), abort = new Abort()) => runtime.send(run.ask(call, { abort }))
  const get = async (id: string, abort?: Abort) => (await send(upstream.get({ id }), abort)).value
  await get('warm')
  await rest()
  answer = script
  return {
    raw,
    reads,
    upstream,
    runtime,
    send,
    get,
    onRequest: (next: typeof answer) => {
      answer = next
    },
  }
}

test('calls of one turn of the loop are written together, over as many connections as they need, and each gets its own answer', async t => {
  const { raw, reads, get } = await arrange(t)
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  t.same(
    await Promise.all(ids.map(id => get(id))),
    ids.map(id => `/${id}`),
  )
  t.same(Object.fromEntries(raw.requests.map(({ path, connection }) => [path, connection])), {
    '/warm': 0,
    '/a': 0,
    '/b': 0,
    '/c': 0,
    '/d': 0,
    '/e': 1,
    '/f': 1,
  })
  t.equal(reads[0], 2, 'one for the first call of all, and one for the four')
})

test('safe calls of each method share a connection, also those with a body', async t => {
  const owed: (() => void)[] = []
  const { raw, upstream, send } = await arrange(t, {}, (socket, { path, body }) =>
    owed.push(() => socket.write(json([path, body]))),
  )
  const sent = [
    send(upstream.search({ id: 'search', body: 'a' })),
    send(upstream.query({ id: 'query', body: 'b' })),
    send(upstream.options({ id: 'options' })),
    send(upstream.get({ id: 'get' })),
  ]
  await raw.asked(5)
  t.equal(raw.connections, 1)
  for (const answer of owed) answer()
  t.same(
    (await Promise.all(sent)).map(({ value }) => value),
    [
      ['/search', '"a"'],
      ['/query', '"b"'],
      ['/options', ''],
      ['/get', ''],
    ],
  )
})

test('a call of a later turn does not stand behind one that waits', async t => {
  const { raw, get } = await arrange(t, { attemptTimeout: 10_000 }, (socket, { path }) =>
    path === '/slow' ? undefined : socket.write(json(path)),
  )
  const slow = new Abort()
  const waits = failure(get('slow', slow))
  await raw.asked(2)
  t.equal(await get('quick'), '/quick')
  slow.abort('enough')
  t.equal(await waits, 'enough')
  await until(() => raw.open <= 1)
  t.equal(await get('again'), '/again', 'no other call was on its connection, which is closed')
})

test('an unsafe request and a HEAD each have a separate connection', async t => {
  const { raw, upstream, send, get } = await arrange(t, {}, (socket, { method, path }) =>
    socket.write(method === 'HEAD' ? 'HTTP/1.1 204 No\r\n\r\n' : json(path)),
  )
  await Promise.all([send(upstream.post({ id: 'post' })), get('a'), send(upstream.head({ id: 'head' })), get('b')])
  const on = (path: string) => raw.requests.find(request => request.path === path)?.connection
  t.equal(on('/a'), on('/b'))
  t.equal(new Set(['/post', '/head', '/a'].map(on)).size, 3)
})

test('an aborted call leaves the connection to the other calls, and holds its permit until its response has arrived', async t => {
  const owed: (() => void)[] = []
  const { raw, get, runtime } = await arrange(t, {}, (socket, { path }) => owed.push(() => socket.write(json(path))))
  const abort = new Abort()
  const [gone, ...others] = [failure(get('a', abort)), get('b'), get('c')]
  await raw.asked(4)
  abort.abort('gone')
  t.equal(await gone, 'gone')
  t.match(runtime.stats(), { ours: { active: 3 } })
  for (const answer of owed) answer()
  t.same(await Promise.all(others), ['/b', '/c'])
  await turn()
  t.match(runtime.stats(), { ours: { active: 0, ok: 3 } })
  t.equal(raw.connections, 1)
})

test('a connection is closed when no caller wants any of its answers', async t => {
  const { raw, get, runtime } = await arrange(t, { attemptTimeout: 40 }, () => {})
  const abort = new Abort()
  const gone = [failure(get('a', abort)), failure(get('b')), failure(get('c'))]
  await raw.asked(4)
  abort.abort('gone')
  t.match(await Promise.all(gone), ['gone', { code: 'UPSTREAM_TIMEOUT' }, { code: 'UPSTREAM_TIMEOUT' }])
  await raw.deserted()
  await until(() => runtime.stats()['ours']?.active === 0)
  t.match(runtime.stats(), { ours: { active: 0, queued: 0 } }, 'no permit is held')
})

test('the last wanted answer of a connection is delivered, and the unwanted answers behind it are not waited for', async t => {
  const owed: (() => void)[] = []
  const { raw, get } = await arrange(t, {}, (socket, { path }) => owed.push(() => socket.write(json(path))))
  const abort = new Abort()
  const [first, ...gone] = [get('a'), failure(get('b', abort)), failure(get('c', abort))]
  await raw.asked(4)
  abort.abort('gone')
  t.same(await Promise.all(gone), ['gone', 'gone'])
  owed[0]?.()
  t.equal(await first, '/a')
  await raw.deserted()
})

test('a call that is aborted before its batch has a connection is still sent, and the other calls of the batch are answered', async t => {
  const { raw, get } = await arrange(t)
  const ids = ['a', 'b', 'c', 'd']
  const first = ids.map(id => get(id))
  const abort = new Abort()
  const [gone, other] = [failure(get('e', abort)), get('f')]
  abort.abort('gone')
  t.equal(await gone, 'gone')
  t.equal(await other, '/f')
  t.same(
    await Promise.all(first),
    ids.map(id => `/${id}`),
  )
  t.equal(raw.connections, 2)
})

test('a lost connection loses those on it, which are sent again within the budget, and counts once', async t => {
  const lose = (socket: Socket, { path }: RawRequest) => path === '/c' && socket.resetAndDestroy()
  const lost = await arrange(t, {}, lose)
  const codes = await Promise.all(['a', 'b', 'c'].map(id => failure(lost.get(id))))
  t.match(
    codes,
    ['a', 'b', 'c'].map(() => ({ code: 'UPSTREAM_RESET' })),
  )
  t.equal(lost.raw.requests.length, 4, 'nothing is sent again by itself')

  let isUp = false
  const { raw, get } = await arrange(t, { retry: { maxAttempts: 2, initialDelay: 0 } }, (socket, { path }) => {
    if (isUp) socket.write(json(path))
    else if (path === '/c') {
      isUp = true
      socket.resetAndDestroy()
    }
  })
  t.same(await Promise.all(['a', 'b', 'c'].map(id => get(id))), ['/a', '/b', '/c'])
  t.equal(raw.requests.length, 7)

  const { raw: poor, get: ask } = await arrange(
    t,
    { retry: { maxAttempts: 2, initialDelay: 0 }, retryBudget: { ratio: 0, minPerSecond: 0 } },
    lose,
  )
  const ended = await Promise.all(['a', 'b', 'c'].map(id => failure(ask(id))))
  t.match(ended.slice(1), [{ code: 'UPSTREAM_RESET' }, { code: 'UPSTREAM_RESET' }])
  t.ok(poor.requests.length <= 5, 'the first may have found an idle connection closed, which is free')
})

test('a lost connection ends each request on it once, those that were given up and those that an end before cuts too', async t => {
  for (const givenUp of ['when it is lost', 'before']) {
    let last: Socket | undefined
    const { raw, upstream, runtime, get } = await arrange(t, {}, socket => {
      last = socket
    })
    const run = testRun()
    const abort = new Abort()
    const first = failure(get('a'))
    const second = new Promise(resolve => {
      runtime.send.send?.(run.ask(upstream.get({ id: 'b' }), { abort: new Abort() }), {
        resolve,
        reject(error) {
          abort.abort('gone')
          resolve(error)
        },
      })
    })
    const rest = ['c', 'd'].map(id => failure(get(id, abort)))
    await raw.asked(5)
    if (givenUp === 'before') abort.abort('gone')
    last?.destroy()
    t.match(await Promise.all([first, second]), [{ code: 'UPSTREAM_RESET' }, { code: 'UPSTREAM_RESET' }])
    t.same(await Promise.all(rest), ['gone', 'gone'])
    await raw.deserted()
    await turn()
    t.match(runtime.stats(), { ours: { active: 0, queued: 0 } })
  }
})

test('an answer that breaks off loses those behind it, and those before it have theirs', async t => {
  const { get, runtime } = await arrange(t, {}, (socket, { path }) => {
    if (path === '/a') socket.write(json(path))
    if (path === '/b') socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{')
  })
  t.match(await Promise.all([get('a'), failure(get('b')), failure(get('c'))]), [
    '/a',
    { code: 'UPSTREAM_RESET' },
    { code: 'UPSTREAM_RESET' },
  ])
  t.match(runtime.stats(), { ours: { active: 0, ok: 2, failed: 1, ignored: 1 } })
})

test('calls beyond the concurrency wait for a permit, and every call is answered', async t => {
  const { raw, get } = await arrange(t, { concurrency: 8 })
  const ids = Array.from({ length: 200 }, (_, index) => `n${index}`)
  t.same(
    await Promise.all(ids.map(id => get(id))),
    ids.map(id => `/${id}`),
  )
  t.ok(raw.connections <= 8)
})

test('an upstream that is not there is unreachable for every one of a batch', async t => {
  const { raw, get } = await arrange(t)
  await raw.stop()
  const codes = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(id => failure(get(id))))
  t.match(codes.slice(4), [{ code: 'UPSTREAM_UNREACHABLE' }, { code: 'UPSTREAM_UNREACHABLE' }])
})

test('a name that is not found fails each call, crashes nothing, and leaves no connection held back', async t => {
  const raw = await rawUpstream(t, (socket, { path }) => socket.write(json(path)))
  let isFound = false
  const runtime = createRuntime({
    lookup: (_name, _options, done) => {
      if (isFound) done(null, [{ address: '127.0.0.1', family: 4 }])
      else done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
    },
  })
  t.teardown(() => runtime.close())
  const ours = defineUpstream(
    'ours',
    { origin: `http://upstream.test:${raw.port}`, concurrency: 2, pipelining: 4, retry: false, breaker: false },
    operations,
  )
  const run = testRun()
  const ask = (id: string) =>
    runtime.send(run.ask(ours.get({ id }))).then(
      ({ value }) => value,
      (error: { code: string }) => error.code,
    )
  const ids = Array.from({ length: 8 }, (_, index) => `n${index}`)
  t.same(new Set(await Promise.all(ids.map(id => ask(id)))), new Set(['UPSTREAM_UNREACHABLE']))
  isFound = true
  let first: unknown
  await until(async () => (first = await ask('a')) !== 'UPSTREAM_UNREACHABLE')
  t.equal(first, '/a')
  t.same(
    await Promise.all(ids.map(id => ask(id))),
    ids.map(id => `/${id}`),
  )
  t.match(runtime.stats(), { ours: { active: 0, queued: 0 } })
})

test('a connection without a wanted answer is closed also when its last aborted call was not written yet', async t => {
  const raw = await rawUpstream(t, (socket, { path }) => path === '/warm' && socket.write(json(path)))
  // A connection that is old takes its last call, and those behind that wait for the next one.
  const pool = openPool(raw.origin, { connections: 1, connect: {}, pipelining: 4, maxAge: 0 })
  t.teardown(() => pool.destroy())
  const ours = defineUpstream('ours', { origin: raw.origin }, operations)
  const service = dispatch(pool, '', undefined, true)
  const run = testRun()
  t.match(await service(run.ask(ours.get({ id: 'warm' }))), { value: '/warm' })
  await turn()
  const calls = ['a', 'b', 'c'].map(id => run.ask(ours.get({ id })))
  const gone = calls.map(call => failure(service(call)))
  await raw.asked(2)
  run.abort.abort('gone')
  t.same(await Promise.all(gone), ['gone', 'gone', 'gone'])
  for (const { attempt } of calls) await attempt.held
  t.equal(raw.requests.length, 2, 'what was not written never was')
  await raw.deserted()
})

test('a closed runtime ends a batch', async t => {
  const { raw, get, runtime } = await arrange(t, {}, () => {})
  const waiting = ['a', 'b'].map(id => failure(get(id)))
  await raw.asked(3)
  await runtime.close()
  t.match(await Promise.all(waiting), [{ code: 'RUNTIME_CLOSED' }, { code: 'RUNTIME_CLOSED' }])
})

test('an invalid pipelining is refused when it is declared', t => {
  for (const pipelining of [0, 1.5, -2, Number.NaN]) {
    t.throws(() => defineUpstream('ours', { origin: 'http://127.0.0.1:9', pipelining }, operations), {
      message: /pipelining must be a whole number from 1/,
    })
  }
  t.end()
})

test('an answer that is refused before its end does not close the connection of the other calls', async t => {
  const long = written(500, { 'content-type': 'text/plain' }, 'x'.repeat(20_000))
  const tooLong = json('x'.repeat(30_000))
  const { raw, get, runtime } = await arrange(t, { maxResponseBytes: 20_480 }, (socket, { path }) =>
    socket.write(path === '/a' ? long : path === '/c' ? tooLong : json(path)),
  )
  const [first, second, third, fourth] = await Promise.all([failure(get('a')), get('b'), failure(get('c')), get('d')])
  t.match([first, third], [{ code: 'UPSTREAM_STATUS', upstreamStatus: 500 }, { code: 'UPSTREAM_TOO_LARGE' }])
  t.same([second, fourth], ['/b', '/d'])
  t.equal(raw.connections, 1)
  await until(() => runtime.stats()['ours']?.active === 0)
  t.match(runtime.stats(), { ours: { active: 0, queued: 0 } }, 'no permit is held')
})

test('the pipeline waits for a refused answer that does not end up to the limit only', async t => {
  const { raw, get } = await arrange(t, { maxResponseBytes: 20_480 }, (socket, { path }) => {
    if (path === '/a')
      socket.write(written(500, { 'content-type': 'text/plain', 'content-length': '1000000' }, 'x'.repeat(50_000)))
  })
  const [refused, behind] = await Promise.all([failure(get('a')), failure(get('b'))])
  t.match([refused, behind], [{ code: 'UPSTREAM_STATUS' }, { code: 'UPSTREAM_RESET' }])
  await raw.deserted()
})

test('an upstream that closes after an answer has not taken those behind it, which are sent again at once, from no budget', async t => {
  let answered = 0
  const { raw, get } = await arrange(
    t,
    { retry: { maxAttempts: 2, initialDelay: 0 }, retryBudget: { ratio: 0, minPerSecond: 0 } },
    (socket, { path }) => {
      if (answered++ === 1) socket.end(json(path, 200, { connection: 'Close' }))
      else if (socket.writable) socket.write(json(path))
    },
  )
  t.same(await Promise.all(['a', 'b', 'c', 'd'].map(id => get(id))), ['/a', '/b', '/c', '/d'])
  t.equal(raw.requests.length, 7, 'the warm one, two answered, two not, and these again')
})

test('a connection with slow answers pipelines fewer requests', async t => {
  const owed: (() => void)[] = []
  const { raw, get } = await arrange(t, { attemptTimeout: 10_000 }, (socket, { path }) =>
    path === '/slow' ? owed.push(() => socket.write(json(path))) : socket.write(json(path)),
  )
  const together = async () => {
    const ids = ['a', 'b', 'c', 'd']
    await Promise.all(ids.map(id => get(id)))
    return new Set(raw.requests.slice(-ids.length).map(({ connection }) => connection)).size
  }
  t.equal(await together(), 1)
  for (let round = 1; round <= 30; round++) {
    const before = raw.requests.length
    const slow = get('slow')
    await raw.asked(before + 1)
    for (let others = 0; others < 6; others++) await together()
    owed.pop()?.()
    await slow
  }
  t.ok((await together()) > 1)
})

test('a call that has a connection to itself, after a batch on that connection, does not count as a slow answer', async t => {
  const { raw, upstream, send, get } = await arrange(t)
  const together = async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map(id => get(id)))
    return new Set(raw.requests.slice(-4).map(({ connection }) => connection)).size
  }
  for (let round = 0; round < 100; round++) {
    await together()
    for (let alone = 0; alone < 30; alone++) await send(upstream.post({ id: 'post' }))
  }
  t.equal(await together(), 1)
})

test('bytes that arrive while nothing is in flight close a pipelined connection, and no answer is made of them', async t => {
  for (const isIdle of [false, true]) {
    let last: Socket | undefined
    const { raw, get } = await arrange(t, {}, (socket, { path }) => {
      last = socket
      socket.write(path === '/last' && !isIdle ? Buffer.concat([json(path), json('stray')]) : json(path))
    })
    t.equal(await get('last'), '/last')
    if (isIdle) {
      await rest()
      last?.write(json('stray'))
      await rest()
    }
    const ids = ['a', 'b', 'c']
    t.same(
      await Promise.all(ids.map(id => get(id))),
      ids.map(id => `/${id}`),
    )
    t.equal(raw.connections, 2)
  }
})
