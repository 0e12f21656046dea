import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import type { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const warm = 60

/** An upstream with 60 connections that have served, whose `/death` closes the connection that it came over. */
async function arrange(t: Test, options: Partial<UpstreamOptions> = {}) {
  let waiting: Socket[] = []
  const sockets = new Set<Socket>()
  let deaths = 0
  let killsReused = false
  const served = new WeakSet<Socket>()
  const raw = await rawUpstream(
    t,
    (socket, { path }) => {
      if (path === '/death') {
        deaths++
        return socket.destroy()
      }
      if (path === '/warm') {
        waiting.push(socket)
        if (waiting.length < warm) return
        for (const each of waiting) {
          served.add(each)
          each.write(json('warm'))
        }
        waiting = []
        return
      }
      if (killsReused && served.has(socket)) return socket.destroy()
      served.add(socket)
      socket.write(json('well'))
    },
    undefined,
    socket => {
      sockets.add(socket)
    },
  )
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin, concurrency: warm, connections: warm, attemptTimeout: 30_000, ...options },
    {
      warm: operation({ path: '/warm', output: z.unknown() }),
      ask: operation({ path: '/ask', output: z.unknown() }),
      death: operation({ path: '/death', output: z.unknown() }),
      put: operation({ method: 'PUT', path: '/death', output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const ask = () => runtime.send(testRun().ask(upstream.ask()))
  await Promise.all(Array.from({ length: warm }, () => runtime.send(testRun().ask(upstream.warm()))))
  t.equal(raw.open, options.pipelining === undefined ? warm : warm / options.pipelining)
  return {
    raw,
    runtime,
    upstream,
    ask,
    sockets,
    get deaths() {
      return deaths
    },
    killReused: () => {
      killsReused = true
    },
  }
}

test('a request that kills its connection is sent twice, and once more for each retry of the budget', async t => {
  for (const [attempts, sent] of [
    [2, 3],
    [4, 5],
  ] as const) {
    const scene = await arrange(t, { retry: { maxAttempts: attempts, initialDelay: 0 } })
    const run = testRun()
    t.match(await failure(scene.runtime.send(run.ask(scene.upstream.death()))), {
      code: 'UPSTREAM_RESET',
      verdict: 'failed',
      isIdleClose: false,
    })
    t.equal(scene.deaths, sent, `of ${attempts} attempts, and one that is free`)
    t.match(run.events.at(-1), { type: 'call ended', attempts: sent })
    t.ok(scene.raw.connections <= warm + sent - 1, `${scene.raw.connections} connections`)
  }
})

test('a request that kills its connection is sent twice when the retry budget is empty, whether it is safe or idempotent', async t => {
  for (const name of ['death', 'put'] as const) {
    const scene = await arrange(t, { retryBudget: { ratio: 0, minPerSecond: 0 } })
    await failure(scene.runtime.send(testRun().ask(scene.upstream[name]())))
    t.equal(scene.deaths, 2, name)
  }
})

test('all losses but the first of each call are evidence for the breaker', async t => {
  const scene = await arrange(t, {
    retryBudget: { ratio: 0, minPerSecond: 0 },
    breaker: { minimumCalls: 1000, consecutiveFailures: 5, openDuration: 60_000 },
  })
  const codes: string[] = []
  for (let call = 0; call < 6; call++)
    codes.push(((await failure(scene.runtime.send(testRun().ask(scene.upstream.death())))) as UpstreamError).code)
  t.same(codes, [...Array.from({ length: 5 }, () => 'UPSTREAM_RESET'), 'BREAKER_OPEN'])
  t.equal(scene.deaths, 10)
})

test('an upstream that has restarted with 60 warm connections loses no safe call and costs each one repetition', async t => {
  for (const atOnce of [1, warm]) {
    const scene = await arrange(t, {
      retryBudget: { ratio: 0, minPerSecond: 0 },
      breaker: { minimumCalls: 1, failureRatio: 0.01, openDuration: 60_000 },
    })
    const before = scene.raw.requests.length
    scene.killReused()
    const lost: string[] = []
    // Each round finds connections that have served, and that die of the next request.
    for (let asked = 0; asked < 2 * warm; asked += atOnce) {
      await Promise.all(
        Array.from({ length: atOnce }, () => scene.ask().catch((error: UpstreamError) => lost.push(error.code))),
      )
    }
    t.same(lost, [])
    t.ok(
      scene.raw.requests.length - before <= 4 * warm,
      `${scene.raw.requests.length - before} requests for ${2 * warm} calls`,
    )
    t.match(scene.runtime.stats(), { raw: { breaker: 'closed', failed: 0 } })
  }
})

test('connections that were reset while they were idle lose no safe call', async t => {
  const scene = await arrange(t, { retryBudget: { ratio: 0, minPerSecond: 0 } })
  for (const socket of scene.sockets) socket.resetAndDestroy()
  const answers = await Promise.all(Array.from({ length: warm }, () => scene.ask()))
  t.ok(answers.every(({ value }) => value === 'well'))
})

test('over pipelines too, a request that kills its connection gets one free repetition, alone on a new connection', async t => {
  const scene = await arrange(t, { pipelining: 4, retryBudget: { ratio: 0, minPerSecond: 0 } })
  const before = scene.raw.requests.length
  const ends = await Promise.allSettled([scene.runtime.send(testRun().ask(scene.upstream.death())), scene.ask()])
  t.equal(ends[0].status, 'rejected')
  t.equal(scene.deaths, 2)
  const last = scene.raw.requests
    .slice(before)
    .filter(({ path }) => path === '/death')
    .at(-1)
  t.equal(scene.raw.requests.filter(({ connection }) => connection === last?.connection).length, 1)
})
