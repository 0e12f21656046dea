import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { asking } from '../helpers/asking.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { answer, good, status, typed } from '../helpers/wire.ts'
import { elapsed, until } from '../../helpers/until.ts'

type Get = Awaited<ReturnType<typeof stage>>['get']

/** Asks `count` times, one after the other, and gives what was not answered well. */
async function lane(
  get: Get,
  path: string,
  count: number,
  name: string,
  pauseMs: (call: number) => number,
): Promise<string[]> {
  const lost: string[] = []
  for (let call = 0; call < count; call++) {
    const id = `${name}-${call}`
    const { status, body } = await get<Reply>(`${path}?id=${id}`)
    if (status !== 200 || body.data?.['word'] !== id) lost.push(`${id}: ${status} ${body.code}`)
    const ms = pauseMs(call)
    if (ms > 0) await elapsed(ms)
  }
  return lost
}

/** Connections that are closed when they were idle for about as long as callers pause. */
export async function idleClosed(t: Test): Promise<void> {
  const idle = 50
  const upstream = await rawUpstream(t, (socket, request) => {
    well(socket, request)
    socket.removeAllListeners('timeout').setTimeout(idle, () => socket.destroy())
  })
  const { required } = asking('keeper', { origin: upstream.origin, concurrency: 16 })
  const { get, runtime } = await stage(t, [required])
  const lost = await Promise.all(
    Array.from({ length: 16 }, (_, index) =>
      lane(get, '/keeper', 30, `lane-${index}`, call => idle - 2 + ((call + index) % 4)),
    ),
  )
  t.same(lost.flat(), [], 'no caller notices')
  t.match(runtime.stats(), { keeper: { calls: 480, ok: 480, failed: 0, active: 0, breaker: 'closed' } })
  t.comment(`${upstream.connections} connections for 480 calls`)
  t.ok(upstream.connections > 16, 'though connections were closed all the time')
}

/** A peer that has vanished: its connections stand, and nothing comes over them any more. */
export async function halfOpen(t: Test): Promise<void> {
  const gone = new Set<number>()
  const upstream = await rawUpstream(t, (socket, request) => {
    if (!gone.has(request.connection)) well(socket, request)
  })
  const { required } = asking('vanished', { origin: upstream.origin, attemptTimeout: 300 })
  const { get, runtime } = await stage(t, [required])
  t.match(await get('/vanished?id=a'), { status: 200 })
  gone.add(0)
  t.match(
    await get('/vanished?id=b'),
    { status: 200, body: { data: { word: 'b' }, sources: { part: { state: 'ok', attempts: 2 } } } },
    'the attempt times out, and the next has a connection of its own',
  )
  t.match(
    await get('/vanished?id=c'),
    { status: 200, body: { sources: { part: { attempts: 1 } } } },
    'the dead one is out of use',
  )
  t.equal(upstream.open, 1)
  t.match(
    runtime.stats(),
    { vanished: { ok: 3, breaker: 'closed', active: 0 } },
    'one timeout is no reason to stop asking',
  )
}

/** Each answer is the last of its connection. */
export async function neverKept(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, (socket, request) => socket.end(good(request, ['connection: close'])))
  const { required } = asking('closing', { origin: upstream.origin, concurrency: 8 })
  const { get, runtime } = await stage(t, [required])
  const lost = await Promise.all(
    Array.from({ length: 10 }, (_, index) => lane(get, '/closing', 30, `lane-${index}`, () => 0)),
  )
  t.same(lost.flat(), [])
  t.equal(upstream.requests.length, 300, 'each is sent once')
  t.equal(upstream.connections, 300, 'on a connection of its own')
  await upstream.deserted()
  t.match(runtime.stats(), { closing: { ok: 300, attempts: 300, active: 0, queued: 0 } })
}

/** All connections reset at once, none accepted for a while, and then again. */
export async function restarted(t: Test): Promise<void> {
  const concurrency = 8
  const upstream = await rawUpstream(t, well, undefined, undefined, await quietPort())
  const { required } = asking('rolling', {
    origin: upstream.origin,
    concurrency,
    breaker: { openDuration: 100 },
  })
  const { get, runtime } = await stage(t, [required])
  let isOver = false
  const lost: { readonly at: number; readonly code: string | undefined }[] = []
  let answered = 0
  const lanes = Array.from({ length: 16 }, async () => {
    for (let asked = 0; !isOver && asked < 100_000; asked++) {
      const { status, body } = await get<Reply>('/rolling?id=a')
      if (status === 200) answered++
      else lost.push({ at: performance.now(), code: body.code })
      await elapsed(2)
    }
  })
  await until(() => answered >= 200)
  t.same(lost, [], 'all is well before')
  const before = upstream.connections
  await upstream.stop()
  // Long enough for the breaker to have opened, tried in vain, and opened again.
  const hasTriedAgain = () =>
    (lost.filter(({ code }) => code === 'UPSTREAM_UNREACHABLE' || code === 'UPSTREAM_RESET').at(-1)?.at as number) >
    (lost.find(({ code }) => code === 'BREAKER_OPEN')?.at ?? Infinity)
  await until(hasTriedAgain)
  await upstream.listen()
  const back = performance.now()
  const sofar = answered
  await until(() => answered >= sofar + 400)
  isOver = true
  await Promise.all(lanes)

  const opened = upstream.connections - before
  t.ok(opened <= 2 * concurrency, `${opened} connections when it is back, with a concurrency of ${concurrency}`)
  t.same(
    lost.filter(({ code }) => !['UPSTREAM_UNREACHABLE', 'UPSTREAM_RESET', 'BREAKER_OPEN'].includes(code ?? '')),
    [],
    'what is lost is lost for its being away',
  )
  const latest = Math.max(...lost.map(({ at }) => at)) - back
  t.ok(latest < 100 + 2000, `the last loss was ${latest.toFixed(0)} ms after it was back`)
  t.match(await get('/rolling?id=b'), { status: 200, body: { data: { word: 'b' } } })
  t.match(runtime.stats(), { rolling: { breaker: 'closed', active: 0, queued: 0 } })
}

/** An upstream that says goodbye to each connection with what it still owes. */
export async function drained(t: Test): Promise<void> {
  const owed: { readonly socket: Socket; readonly request: { readonly path: string } }[] = []
  let isHolding = true
  const upstream = await rawUpstream(t, (socket, request) => {
    if (isHolding) owed.push({ socket, request })
    else well(socket, request)
  })
  const { required } = asking('leaving', { origin: upstream.origin, concurrency: 8 })
  const { get, runtime } = await stage(t, [required])
  const inFlight = Array.from({ length: 8 }, (_, index) => get<Reply>(`/leaving?id=old-${index}`))
  await upstream.asked(8)
  isHolding = false
  for (const { socket, request } of owed) socket.end(good(request, ['connection: close']))
  t.same(
    (await Promise.all(inFlight)).map(({ body }) => body.data),
    Array.from({ length: 8 }, (_, index) => ({ word: `old-${index}` })),
    'what was in flight is answered',
  )
  const after = await Promise.all(Array.from({ length: 8 }, (_, index) => get<Reply>(`/leaving?id=new-${index}`)))
  t.same(
    after.map(({ body }) => body.data),
    Array.from({ length: 8 }, (_, index) => ({ word: `new-${index}` })),
    'and what comes then goes over new connections',
  )
  t.equal(upstream.requests.length, 16)
  t.ok(upstream.requests.slice(8).every(({ connection }) => connection >= 8))
  t.match(runtime.stats(), { leaving: { ok: 16, failed: 0, active: 0 } })
}

/** Whatever goes wrong, a thousand times and all mixed, nothing of it stays. */
export async function mixed(t: Test): Promise<void> {
  const ways: readonly ((socket: Socket) => unknown)[] = [
    socket => socket.destroy(),
    socket => socket.resetAndDestroy(),
    socket => socket.end(answer(['content-length: 100'], '{"')),
    socket => socket.write(status(500)),
    socket => socket.write(status(404)),
    socket => socket.write(typed('application/json', '{"')),
    socket => socket.write(typed('text/html', '<p>'.repeat(20_000))),
    socket => socket.write(typed('application/json', '{"name":1}')),
    socket => socket.write(answer(['content-length: 2147483648'], '{"'.repeat(10_000))),
    socket => socket.write('rubbish\r\n\r\n'),
    socket => socket.write(answer(['transfer-encoding: chunked'], 'zz\r\n')),
    socket => socket.write(answer(['content-encoding: gzip', 'content-length: 2'], '{}')),
    () => {},
  ]
  let isWell = false
  const upstream = await rawUpstream(t, (socket, request) => {
    if (isWell) well(socket, request)
    else (ways[request.index % ways.length] as (socket: Socket) => unknown)(socket)
  })
  const concurrency = 8
  const worst = defineUpstream(
    'worst',
    { origin: upstream.origin, concurrency, maxQueue: 2000, attemptTimeout: 50, breaker: false, retry: false },
    { word: operation(wordPath) },
  )
  const many = aggregate('many', { url: '/many', query: Id, deadline: 20_000 })
    .each('parts', () => Array.from({ length: 100 }, (_, index) => worst.word({ id: String(index) })), {
      minSuccess: 0,
      fallback: { word: 'lost' },
      concurrency: 100,
    })
    .reply(z.array(Word), ({ parts }) => parts)
  const one = aggregate('one', { url: '/one', query: Id })
    .required('part', ({ query }) => worst.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { get, runtime } = await stage(t, [many, one])

  for (let times = 0; times < 10; times++) {
    const { status, body } = await get<Reply<readonly { readonly word: string }[]>>('/many?id=a')
    t.equal(status, 200)
    t.ok(body.data?.every(({ word }) => word === 'lost'))
  }
  isWell = true
  t.match(
    runtime.stats(),
    { worst: { calls: 1000, ok: 0, active: 0, queued: 0 } },
    'after 1000 failures nothing is held',
  )
  t.match(await get('/one?id=b'), { status: 200, body: { data: { word: 'b' } } })
  t.ok(upstream.open <= concurrency, `${upstream.open} connections with a concurrency of ${concurrency}`)
}
