import type { AddressInfo } from 'node:net'
import { createServer } from 'node:http'
import type { Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { RuntimeMetrics } from '../../../src/metrics/runtime-metrics.ts'
import { countReloads } from '../../../src/server/process/reload-metrics.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { MemoryStore } from '../../bulk/helpers/memory-store.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { serveHttp } from '../../helpers/serve-http.ts'

const Body = z.object({ n: z.number() })

/** Starts an upstream: `/ok` answers at once, `/slow` after 300 ms, `/fail` with 500, `/flaky` with 500 every other time. */
async function startUpstream(t: Test): Promise<string> {
  let flaky = 0
  const server = createServer((request, response) => {
    const answer = (status: number) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"n":1}')
    }
    const { url = '' } = request
    if (url.startsWith('/slow')) setTimeout(answer, 300, 200)
    else if (url.startsWith('/fail')) answer(500)
    else if (url.startsWith('/flaky')) answer(flaky++ % 2 === 0 ? 500 : 200)
    else answer(200)
  })
  return serveHttp(t, server)
}

/** Serves aggregates whose requests cause every kind of event that the dashboard and the alerts show. */
export async function startEventfulService(t: Test) {
  const origin = await startUpstream(t)
  const steady = defineUpstream(
    'steady',
    { origin, hedge: { delay: 20, maxRatio: 1 }, retry: { initialDelay: 1 } },
    {
      ok: operation({ path: '/ok', output: Body }),
      slow: operation({ path: '/slow', output: Body }),
      flaky: operation({ path: '/flaky', output: Body }),
      shared: operation({ path: '/slow/shared', output: Body, coalesce: true }),
    },
  )
  const failing = defineUpstream(
    'failing',
    { origin, breaker: { minimumCalls: 2 }, retry: false },
    {
      fail: operation({ path: '/fail', output: Body }),
    },
  )
  const narrow = defineUpstream(
    'narrow',
    { origin, concurrency: 1, maxQueue: 1, retry: false },
    {
      slow: operation({ path: '/slow/narrow', output: Body }),
    },
  )
  const cached = defineUpstream(
    'cached',
    { origin },
    {
      ok: operation({ path: '/ok/cached', output: Body, cache: { ttl: 60_000 } }),
    },
  )
  const spread = defineUpstream(
    'spread',
    { origins: [origin, await startUpstream(t)] },
    {
      ok: operation({ path: '/ok/spread', output: Body }),
    },
  )
  const lost = defineUpstream(
    'lost',
    { origin: 'http://lost.example', retry: false, breaker: false },
    {
      ok: operation({ path: '/ok', output: Body }),
    },
  )
  const reply = z.object({ n: z.number() })
  const missing = { n: 0 }
  const page = aggregate('page', { url: '/page', deadline: 2000 })
    .required('ok', () => steady.ok())
    .optional('flaky', () => steady.flaky(), { fallback: missing })
    .optional('shared', () => steady.shared(), { fallback: missing })
    .optional('failing', () => failing.fail(), { fallback: missing })
    .optional('cached', () => cached.ok(), { fallback: missing })
    .optional('spread', () => spread.ok(), { fallback: missing })
    .optional('lost', () => lost.ok(), { fallback: missing })
    .optional('narrow', () => narrow.slow(), { fallback: missing })
    .reply(reply, ({ ok }) => ok)
  const slow = aggregate('slow', { url: '/slow', deadline: 2000 })
    .each('calls', () => times(2, () => steady.slow()))
    .reply(reply, () => ({ n: 1 }))
  const late = aggregate('late', { url: '/late', deadline: 50 })
    .required('slow', () => steady.slow())
    .reply(reply, ({ slow: value }) => value)
  const bulk = aggregate('bulk', { url: '/bulk', bulk: true }).reply(reply, () => ({ n: 1 }))
  const runtime = createRuntime({
    lookup: (_hostname, _options, done) => {
      done(Object.assign(new Error('the name does not exist'), { code: 'ENOTFOUND' }), '', 4)
    },
  })
  const app = buildApp([page, slow, late, bulk], {
    runtime,
    metrics: true,
    lostLogLines: () => 0,
    pressure: { runs: 10 },
    bulk: { store: new MemoryStore(), queue: { url: `redis://127.0.0.1:${await quietPort()}/0` } },
  })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const target = `127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const reloads = countReloads(RuntimeMetrics.countersOf(runtime).metrics)
  const get = (path: string) => fetch(`http://${target}${path}`).then(response => response.arrayBuffer())
  return {
    target,
    /** Sends requests until each kind of event has occurred at least once. */
    async cause() {
      reloads.count('refused', new Date())
      for (let round = 0; round < 3; round++)
        await Promise.all([get('/page'), get('/page'), get('/page'), get('/late')])
      // Eight runs are 80 % of the limit: the next run leaves out its optional steps. Ten runs are the limit.
      await Promise.all([...times(8, () => get('/slow')), get('/page'), ...times(4, () => get('/slow'))])
    },
  }
}
