import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import { startChild } from '../../bench/lib/child.ts'
import type { DelayUpstreamOptions, DelayUpstreamStats } from '../../bench/lib/delay-upstream.ts'
import { httpCaller } from '../../bench/lib/http-caller.ts'
import { figuresOf, medianPerSecond, quietOnly } from '../../bench/lib/open-loop-figures.ts'
import { openLoop } from '../../bench/lib/open-loop.ts'

test('the figures count whole answers, refusals and other ends, and measure whole answers from the time they were due', t => {
  const at = (status: number, dueAt: number, ms: number) => ({ status, dueAt, endedAt: dueAt + ms })
  const completed = [
    ...Array.from({ length: 98 }, (_, index) => at(200, 1000 + index, 10)),
    at(200, 1500, 30),
    at(200, 2500, 50),
    at(503, 1600, 1),
    at(504, 1700, 900),
    at(0, 1800, 5),
  ]
  t.same(figuresOf(completed, 1000, 2), {
    offered: 51.5,
    whole: 99,
    wholeRatio: 100 / 103,
    refused: 1,
    other: 2,
    p50Ms: 10,
    p99Ms: 50,
  })
  t.end()
})

test('without a whole answer the latencies are not numbers', t => {
  const { p50Ms, p99Ms, whole } = figuresOf([{ status: 503, dueAt: 0, endedAt: 1 }], 0, 1)
  t.same([p50Ms, p99Ms, whole], [NaN, NaN, 0])
  t.end()
})

test('one second without answers does not change the answers of the median second', t => {
  const endedAt = [100, 200, 300, 2100, 2200, 2300, 3100, 3200]
  t.equal(
    medianPerSecond(
      endedAt.map(ms => ({ endedAt: 5000 + ms })),
      5000,
      4,
    ),
    3,
  )
  t.end()
})

test('a round is quiet when its calm p99 is at most twice the lowest', t => {
  const windows = [30, 15, 31].map(p99Ms => ({ calm: { p99Ms } }))
  t.same(quietOnly(windows), windows.slice(0, 2))
  t.same(quietOnly([]), [])
  t.end()
})

test('an open loop starts after its offset and sends all its requests at their times', async t => {
  const due: number[] = []
  const before = performance.now()
  await openLoop({
    perSecond: 200,
    seconds: 0.1,
    offsetMs: 40,
    send: async (_index, dueAt) => {
      due.push(dueAt)
      t.ok(performance.now() >= dueAt)
    },
  })
  t.equal(due.length, 20)
  t.ok((due[0] as number) >= before + 40)
  for (const [index, dueAt] of due.entries()) t.ok(Math.abs(dueAt - (due[0] as number) - index * 5) < 1e-6)
})

test('a caller sends a POST with its JSON body', async t => {
  const received: (readonly unknown[])[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      received.push([request.method, request.url, request.headers['content-type'], body])
      response.end()
    })
  })
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const [post, get] = [httpCaller(port, { path: '/a', method: 'POST', body: '{"b":1}' }), httpCaller(port, '/c')]
  await post.send(0)
  await get.send(0)
  t.same(received, [
    ['POST', '/a', 'application/json', '{"b":1}'],
    ['GET', '/c', undefined, ''],
  ])
  t.match(post.takeCompleted(), [{ status: 200 }])
  await Promise.all([post.close(), get.close()])
})

test('the upstream with delays answers POSTs with bodies, also when a body contains text like a request', async t => {
  const none: DelayUpstreamOptions = { seed: 1, slowRatio: 0, slowMs: 0, fastFromMs: 0, fastToMs: 0 }
  const upstream = await startChild(
    'upstream',
    new URL('../../bench/lib/delay-upstream.ts', import.meta.url),
    [JSON.stringify(none)],
    'any',
  )
  t.teardown(() => upstream.stop())
  const body = JSON.stringify({ text: 'GET /1 HTTP/1.1\r\n\r\n'.repeat(3000) })
  const caller = httpCaller(upstream.port, { path: '/1', method: 'POST', body })
  await caller.send(0)
  await caller.send(0)
  t.match(caller.takeCompleted(), [{ status: 200 }, { status: 200 }])
  t.equal((await upstream.request<DelayUpstreamStats>({ count: true })).received, 2)
  await caller.close()
})
