import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  tell: operation({ method: 'POST', path: '/tell', body: z.unknown(), output: z.unknown() }),
}

async function arrange(
  t: Test,
  script: Script = json('well'),
  { upstreamOptions = {}, ...options }: RuntimeOptions & { upstreamOptions?: Partial<UpstreamOptions> } = {},
) {
  const raw = await rawUpstream(t, script)
  const runtime = createRuntime(options)
  t.teardown(() => runtime.close())
  const cats = defineUpstream('cats', { origin: raw.origin, ...upstreamOptions }, operations)
  return { raw, runtime, cats, ask: (run = testRun()) => runtime.send(run.ask(cats.ask())) }
}

test('nothing is opened before the first call, and the first call opens one connection', async t => {
  const { raw, runtime, ask } = await arrange(t)
  t.same(runtime.stats(), {})
  t.equal(raw.connections, 0)
  t.same(await ask(), { value: 'well', status: 200 })
  t.equal(raw.connections, 1)
})

test('the statistics tell what each upstream holds and has counted', async t => {
  const replies: (() => void)[] = []
  const { raw, runtime, ask } = await arrange(
    t,
    (socket, { index }) => replies.push(() => socket.write(json({}, index === 0 ? 200 : 500))),
    { upstreamOptions: { concurrency: 2, retry: false } },
  )
  const asked = [ask(), failure(ask()), failure(ask())]
  await raw.asked(2)
  t.match(runtime.stats(), { cats: { active: 2, queued: 1, calls: 3, ok: 0 } })
  for (const at of [0, 1]) replies[at]?.()
  await raw.asked(3)
  replies[2]?.()
  await Promise.all(asked)
  const { queuedMs, ...stats } = runtime.stats()['cats'] ?? { queuedMs: 0 }
  t.same(stats, {
    concurrency: 2,
    active: 0,
    queued: 0,
    calls: 3,
    ok: 1,
    failed: 2,
    ignored: 0,
    attempts: 3,
    breaker: 'closed',
  })
  t.ok(queuedMs > 0)
})

test('of an upstream without a breaker the statistics tell of none', async t => {
  const { runtime, ask } = await arrange(t, json({}), { upstreamOptions: { breaker: false } })
  await ask()
  t.match(runtime.stats()['cats'], { ok: 1, breaker: undefined })
})

test('two runtimes share nothing', async t => {
  const { raw, cats, ask } = await arrange(t)
  const other = createRuntime()
  t.teardown(() => other.close())
  await ask()
  t.same(other.stats(), {})
  await other.send(testRun().ask(cats.ask()))
  t.equal(raw.connections, 2)
  t.match(other.stats(), { cats: { calls: 1 } })
})

test('closing rejects later calls and those in flight, waiting ones too, and the sockets are gone', async t => {
  const { raw, runtime, cats, ask } = await arrange(t, () => {}, { upstreamOptions: { concurrency: 2 } })
  const run = testRun()
  const asked = [failure(ask(run)), failure(runtime.send(run.ask(cats.tell({ body: {} })))), failure(ask(run))]
  await raw.asked(2)
  await runtime.close()
  const closed = { code: 'RUNTIME_CLOSED', statusCode: 503, verdict: 'ignored' }
  t.match(await asked[0], closed)
  t.match(await asked[1], { code: 'OUTCOME_UNKNOWN', statusCode: 504, cause: closed }, 'an unsafe call that had left')
  t.match(await asked[2], closed)
  t.match(await failure(ask(run)), closed)
  await raw.deserted()
  t.equal(run.abort.size, 0)
  t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
  await runtime.close()
  t.equal(raw.requests.length, 2)
})

test('a runtime that was never used closes, and refuses calls then', async t => {
  const { raw, runtime, ask } = await arrange(t)
  await runtime.close()
  t.match(await failure(ask()), { code: 'RUNTIME_CLOSED', source: 'cats' })
  t.equal(raw.connections, 0)
})

test('an origin from outside replaces the declared one, with its path prefix', async t => {
  const real = await rawUpstream(t, json('the other'))
  const { raw, ask } = await arrange(t, json('well'), { overrides: { cats: { origin: `${real.origin}/v2/proxy/` } } })
  t.equal((await ask()).value, 'the other')
  t.equal(real.requests[0]?.path, '/v2/proxy/ask')
  t.equal(raw.connections, 0)
})

test('the concurrency of an override replaces the declared one, lower or higher', async t => {
  for (const concurrency of [1, 5]) {
    const { raw, runtime, ask } = await arrange(t, () => {}, {
      overrides: { cats: { concurrency } },
      upstreamOptions: { concurrency: 3, connections: 4 },
    })
    const run = testRun()
    const asked = Array.from({ length: 6 }, () => failure(ask(run)))
    await raw.asked(concurrency)
    t.match(runtime.stats(), { cats: { active: concurrency, queued: 6 - concurrency } })
    t.equal(raw.connections, concurrency)
    run.abort.abort('done')
    await Promise.all(asked)
  }
})

test('the concurrency of an override may be adaptive, and fixed where the declared one is adaptive', async t => {
  const declared = [
    [{ concurrency: 3 }, 200],
    [{ concurrency: 3, connections: 300 }, 300],
    [{ concurrency: 'adaptive' }, 200],
    [{ concurrency: 'adaptive', connections: 5 }, 200],
  ] as const
  for (const [upstreamOptions] of declared) {
    const { runtime, ask } = await arrange(t, json('well'), {
      overrides: { cats: { concurrency: 'adaptive' } },
      upstreamOptions,
    })
    await ask()
    t.match(runtime.stats(), {
      cats: { concurrency: 'connections' in upstreamOptions && upstreamOptions.connections === 5 ? 5 : 20 },
    })
  }
  for (const [concurrency, connections] of [
    [2, 5],
    [6, 5],
  ] as const) {
    const { raw, runtime, ask } = await arrange(t, () => {}, {
      overrides: { cats: { concurrency } },
      upstreamOptions: { concurrency: 'adaptive', connections },
    })
    const run = testRun()
    const asked = Array.from({ length: 8 }, () => failure(ask(run)))
    await raw.asked(concurrency)
    t.match(runtime.stats(), { cats: { concurrency, active: concurrency, queued: 8 - concurrency } })
    run.abort.abort('done')
    await Promise.all(asked)
  }
})

test('the attemptTimeout of an override replaces the declared one', async t => {
  const { ask } = await arrange(t, () => {}, {
    overrides: { cats: { attemptTimeout: 15 } },
    upstreamOptions: { attemptTimeout: 50_000 },
  })
  t.match(await failure(ask()), { code: 'UPSTREAM_TIMEOUT', message: /15 ms/ })
})

test('the totalTimeout of an upstream covers a call', async t => {
  const { ask } = await arrange(t, () => {}, { upstreamOptions: { totalTimeout: 15 } })
  t.match(await failure(ask()), { code: 'DEADLINE_EXCEEDED', message: /15 ms/ })
})

test('the totalTimeout of an upstream cuts an unsafe call too, whose outcome is unknown then', async t => {
  const { raw, runtime, cats } = await arrange(t, () => {}, { upstreamOptions: { totalTimeout: 30 } })
  const run = testRun()
  t.match(await failure(runtime.send(run.ask(cats.tell({ body: {} })))), {
    code: 'OUTCOME_UNKNOWN',
    statusCode: 504,
    cause: { code: 'DEADLINE_EXCEEDED' },
  })
  await raw.deserted()
  t.equal(run.abort.size, 0)
})

test('an upstream that is switched off refuses every call and is not asked', async t => {
  const { raw, runtime, ask } = await arrange(t, json('well'), { overrides: { cats: { off: true } } })
  const run = testRun()
  t.match(await failure(ask(run)), { code: 'UPSTREAM_OFF', statusCode: 503, source: 'cats' })
  t.match(run.events, [{ type: 'call ended', attempts: 0, code: 'UPSTREAM_OFF' }])
  t.match(runtime.stats(), { cats: { calls: 1, ignored: 1, attempts: 0 } })
  t.equal(raw.connections, 0)
})

test('overrides of one upstream leave the others alone', async t => {
  const { ask } = await arrange(t, json('well'), {
    overrides: {
      dogs: { off: true },
      cats: { off: undefined, origin: undefined, concurrency: undefined, attemptTimeout: undefined },
    },
  })
  t.equal((await ask()).value, 'well')
})

test('an override that cannot be is refused at the start, by the name of its upstream', t => {
  for (const [override, message] of [
    [{ concurrency: 0 }, /'cats': concurrency must be .*, got 0$/],
    [{ concurrency: 1.5 }, /concurrency must be .*, got 1\.5$/],
    [{ attemptTimeout: -1 }, /attemptTimeout must be .* of ms from 1 .*, got -1$/],
    [{ attemptTimeout: Number.NaN }, /attemptTimeout must be .*, got NaN$/],
    [{ origin: 'cats.example' }, /'cats\.example' is not an origin/],
    [{ origin: 'ftp://cats.example' }, /not an origin: write scheme, host and port/],
    [
      { origin: 'http://cats.example/a%2Fb' },
      /contains a backslash or a slash that is encoded: write the path without it/,
    ],
    [{ origin: 'http://h/?q=1' }, /remove the query and the fragment/],
    [{ origin: 'http://h/#f' }, /fragment/],
    [{ origin: 'http://u:p@h' }, /credentials/],
    [{ origin: 'http://u@h' }, /credentials/],
  ] as const)
    t.throws(() => createRuntime({ overrides: { cats: override } }), { name: 'TypeError', message })
  t.end()
})

test('a runtime refuses options and overrides that do not exist', t => {
  t.throws(() => createRuntime({ lookUp: () => {} } as never), {
    name: 'TypeError',
    message: /^runtime: unknown option 'lookUp': use overrides, environment, lookup, /,
  })
  t.throws(() => createRuntime({ overrides: { cats: { port: 80 } } as never }), {
    name: 'TypeError',
    message: "upstream 'cats': unknown option 'port': use origin, origins, concurrency, attemptTimeout, off",
  })
  t.end()
})

test('the backlog of permits is that of the upstream with the longest queue, without slow upstreams', async t => {
  const { origin } = await rawUpstream(t, () => {})
  const options = { origin, retry: false, breaker: false } as const
  const operations = { ask: operation({ path: '/', output: z.unknown() }) }
  const wide = defineUpstream('wide', { ...options, concurrency: 4 }, operations)
  const narrow = defineUpstream('narrow', { ...options, concurrency: 2 }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const backlog = (maxHoldMs: number) => RuntimeMetrics.countersOf(runtime).permitBacklog(maxHoldMs)
  const send = (upstream: typeof wide, calls: number) => {
    for (let call = 0; call < calls; call++) void failure(runtime.send(testRun().ask(upstream.ask())))
  }
  t.equal(backlog(1000), 0)
  send(wide, 4)
  t.equal(backlog(1000), 0, 'all permits are in use, and no call waits')
  send(wide, 2)
  t.equal(backlog(1000), 0.5)
  send(narrow, 6)
  t.equal(backlog(1000), 2)
  t.equal(backlog(10), 0, 'calls are assumed to take 25 ms until they are measured')
  t.equal(RuntimeMetrics.countersOf({}).permitBacklog(1000), 0, 'a runtime that does not count')
})
