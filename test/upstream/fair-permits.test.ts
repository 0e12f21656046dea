import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { isExact } from '../helpers/timing.ts'

/** A server on loopback that takes some time for each request, and an upstream for it. */
async function arrange(t: Test, { concurrency, ms }: { readonly concurrency: number; readonly ms: number }) {
  const paths: string[] = []
  let onRequest = () => {}
  const server: Server = createServer((request, response) => {
    paths.push(request.url as string)
    onRequest()
    request.resume()
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'), ms)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const params = z.object({ id: z.string() })
  const upstream = defineUpstream(
    'shared',
    { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, concurrency, retry: false },
    {
      get: operation({ path: '/{id}', params, output: z.object({}) }),
      post: operation({ method: 'POST', path: '/{id}', params, body: z.object({}), output: z.object({}) }),
    },
  )
  const Query = z.object({ n: z.coerce.number() })
  const getting = (name: string, deadline = 10_000) =>
    aggregate(name, { url: `/${name}`, query: Query, deadline })
      .each('all', ({ query }) => times(query.n, () => upstream.get({ id: name })))
      .reply(z.unknown(), ({ all }) => all.length)
  return {
    paths,
    getting,
    posting: (name: string) =>
      aggregate(name, { url: `/${name}`, method: 'POST', query: Query })
        .each('all', ({ query }) => times(query.n, () => upstream.post({ id: name, body: {} })))
        .reply(z.unknown(), ({ all }) => all.length),
    run: (described: AnyAggregate, n: number) => fanOut(described, { query: { n: String(n) } }, { runtime }),
    /** Resolves when the server has received as many requests. */
    received: (count: number) =>
      new Promise<void>(resolve => {
        onRequest = () => {
          if (paths.length >= count) resolve()
        }
      }),
  }
}

for (const kind of ['the same', 'another'] as const)
  test(`one call behind a run of 100 calls of ${kind} aggregate is sent within two holding times`, async t => {
    const ms = 50
    const { paths, getting, run, received } = await arrange(t, { concurrency: 4, ms })
    const many = getting('many')
    const one = kind === 'the same' ? many : getting('one')
    const long = run(many, 100)
    await received(10)
    const before = paths.length
    const startedAt = performance.now()
    const { complete } = await run(one, 1)
    const elapsed = performance.now() - startedAt
    t.equal(complete, true)
    // The requests that the server has received meanwhile, those of two rounds of the permits and of its own time.
    t.ok(paths.length - before <= 3 * 4, `${paths.length - before} requests`)
    if (isExact) t.ok(elapsed - ms <= 2 * ms + 20, `it waited ${elapsed - ms} ms`)
    t.match(await long, { data: 100, complete: true })
  })

/** Starts something at a fixed rate, whatever the state of what was started before. Returns all results. */
async function openLoop<T>(
  count: number,
  everyMs: number,
  start: () => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  const started: Promise<T>[] = []
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      started.push(start())
      if (started.length < count) return
      clearInterval(timer)
      resolve()
    }, everyMs)
  })
  return Promise.allSettled(started)
}

for (const variant of ['equal', 'deadline of 800 ms', 'POST'] as const)
  test(`beside a flood of another aggregate, an aggregate within its share is answered (${variant})`, async t => {
    const { getting, posting, run } = await arrange(t, { concurrency: 8, ms: 20 })
    const heavy = getting('heavy')
    const light = variant === 'POST' ? posting('light') : getting('light', variant === 'equal' ? 2000 : 800)
    // The permits allow 80 runs of 5 calls per second.
    const measure = async () => {
      const elapsed: number[] = []
      const results = await openLoop(12, 50, async () => {
        const startedAt = performance.now()
        const reply = await run(light, 5)
        elapsed.push(performance.now() - startedAt)
        return reply
      })
      t.same(
        results.filter(({ status }) => status === 'rejected'),
        [],
      )
      return elapsed.sort((a, b) => a - b)[elapsed.length >> 1] as number
    }
    await measure()
    const calm = await measure()
    let isOver = false
    const flood = openLoop(60, 10, () => Promise.allSettled(times(isOver ? 0 : 8, () => run(heavy, 5))))
    const beside = await measure()
    isOver = true
    const floods = (await flood).flatMap(each => (each.status === 'fulfilled' ? each.value : []))
    const refused = floods.filter(each => each.status === 'rejected' && each.reason.code === 'BULKHEAD_FULL')
    t.ok(refused.length > floods.length / 2, `${refused.length} of ${floods.length} runs of the flood are refused`)
    t.comment(`median: ${beside.toFixed(1)} ms, and ${calm.toFixed(1)} ms without the flood`)
    if (isExact) t.ok(beside <= 2 * calm, `${beside} ms, and ${calm} ms without the flood`)
  })
