import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { forwardProxy, type ForwardProxyOptions } from '../../helpers/forward-proxy.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

const operations = {
  ask: operation({ path: '/ask', query: z.object({ q: z.string().optional() }), output: z.unknown() }),
  tell: operation({ method: 'POST', path: '/tell', body: z.unknown(), output: z.unknown() }),
}

async function arrange(
  t: Test,
  {
    secure = true,
    path = '',
    options = {},
    runtimeOptions = {},
    ...proxyOptions
  }: ForwardProxyOptions & {
    readonly secure?: boolean
    /** The base path of the upstream. */
    readonly path?: string
    readonly options?: Partial<UpstreamOptions>
    readonly runtimeOptions?: RuntimeOptions
  } = {},
) {
  const [proxy, raw] = await Promise.all([
    forwardProxy(t, proxyOptions),
    rawUpstream(t, json('well'), secure ? selfSigned : undefined),
  ])
  const { host } = new URL(proxy.origin)
  const runtime = createRuntime({
    ...runtimeOptions,
    environment: {
      PROXY: `http://us:p%40ss@${host}`,
      HTTPS_PROXY: proxy.origin,
      HTTP_PROXY: proxy.origin,
      ...runtimeOptions.environment,
    },
  })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin + path,
      proxy: proxy.origin,
      retry: false,
      ...(secure && { tls: { ca: selfSigned.cert } }),
      ...options,
    },
    operations,
  )
  return { proxy, raw, runtime, cats, host: new URL(raw.origin).host }
}

const basic = `Basic ${Buffer.from('us:p@ss').toString('base64')}`

test('an https upstream is asked through a tunnel, which is used again', async t => {
  const { proxy, raw, runtime, cats, host } = await arrange(t, { options: { concurrency: 1 } })
  t.match(await runtime.send(testRun().ask(cats.ask())), { value: 'well' })
  t.match(await runtime.send(testRun().ask(cats.ask({ q: 'b' }))), { value: 'well' })
  t.match(proxy.requests, [{ method: 'CONNECT', target: host, headers: { host } }])
  t.equal(proxy.requests.length, 1)
  t.same(
    raw.requests.map(({ path }) => path),
    ['/ask', '/ask?q=b'],
  )
})

test('an http upstream is asked for by its whole URL, below the prefix of its place', async t => {
  const { proxy, raw, runtime, cats, host } = await arrange(t, { secure: false })
  t.match(await runtime.send(testRun().ask(cats.ask({ q: 'a' }))), { value: 'well' })
  t.match(proxy.requests, [{ method: 'GET', target: `${raw.origin}/ask?q=a`, headers: { host } }])
  const placed = createRuntime({ overrides: { cats: { origin: `${raw.origin}/v2/` } } })
  t.teardown(() => placed.close())
  await placed.send(testRun().ask(cats.tell({ body: 1 })))
  t.match(proxy.requests[1], { method: 'POST', target: `${raw.origin}/v2/tell` })
})

test('an http upstream with a declared base path is requested by its whole URL', async t => {
  const { proxy, raw, runtime, cats } = await arrange(t, { secure: false, path: '/v1/' })
  await runtime.send(testRun().ask(cats.ask({ q: 'a' })))
  t.match(proxy.requests, [{ method: 'GET', target: `${raw.origin}/v1/ask?q=a` }])
})

test("the credentials in the proxy's URL go to the proxy alone", async t => {
  for (const secure of [true, false]) {
    const { proxy, raw, runtime, cats } = await arrange(t, { secure, options: { proxy: env('PROXY') } })
    t.match(await runtime.send(testRun({ headers: { 'proxy-authorization': 'theirs' } }).ask(cats.ask())), {
      value: 'well',
    })
    t.equal(proxy.requests[0]?.headers['proxy-authorization'], basic)
    t.notOk(raw.requests[0]?.headers.some(([name]) => name.startsWith('proxy-auth')))
  }
})

test('the environment may say which proxy there is, and what is asked straight', async t => {
  for (const secure of [true, false]) {
    const { proxy, runtime, cats } = await arrange(t, { secure, options: { proxy: true } })
    await runtime.send(testRun().ask(cats.ask()))
    t.equal(proxy.requests.length, 1)
    const straight = await arrange(t, {
      secure,
      options: { proxy: true },
      runtimeOptions: { environment: { NO_PROXY: '127.0.0.1' } },
    })
    t.match(await straight.runtime.send(testRun().ask(straight.cats.ask())), { value: 'well' })
    t.equal(straight.proxy.requests.length, 0)
  }
})

test('a proxy has no more connections of us than the upstream may have', async t => {
  for (const secure of [true, false]) {
    const { proxy, runtime, cats } = await arrange(t, { secure, options: { concurrency: 3 } })
    const answers = await Promise.all(Array.from({ length: 30 }, () => runtime.send(testRun().ask(cats.ask()))))
    t.equal(answers.length, 30)
    t.ok(proxy.most <= 3, `${proxy.most} at once`)
  }
})

test('a proxy that refuses makes the upstream unreachable, and the log says with which status', async t => {
  for (const status of [403, 407, 502]) {
    const { raw, runtime, cats } = await arrange(t, { status })
    t.match(await failure(runtime.send(testRun().ask(cats.ask()))), {
      code: 'UPSTREAM_UNREACHABLE',
      cause: { message: `the proxy answered CONNECT with status ${status}` },
    })
    t.match(
      await failure(runtime.send(testRun().ask(cats.tell({ body: 1 })))),
      { code: 'UPSTREAM_UNREACHABLE' },
      'an unsafe call that never left',
    )
    t.equal(raw.connections, 0)
    t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
  }
})

test('a proxy that is not there, or never answers, makes it unreachable in time', async t => {
  const gone = await arrange(t, { options: { proxy: 'http://127.0.0.1:1' } })
  t.match(await failure(gone.runtime.send(testRun().ask(gone.cats.ask()))), {
    code: 'UPSTREAM_UNREACHABLE',
    cause: { code: 'ECONNREFUSED' },
  })
  const mute = await arrange(t, { status: 0, options: { connectTimeout: 50, attemptTimeout: 30_000 } })
  t.match(await failure(mute.runtime.send(testRun().ask(mute.cats.ask()))), {
    code: 'UPSTREAM_UNREACHABLE',
    cause: { message: 'the proxy did not open a tunnel within 50 ms' },
  })
  t.match(mute.runtime.stats(), { cats: { active: 0, queued: 0 } })
})

test('through a tunnel the certificate of the upstream is verified, not that of the proxy', async t => {
  const { runtime, cats, raw } = await arrange(t, { options: { tls: {} } })
  t.match(await failure(runtime.send(testRun().ask(cats.ask()))), { code: 'UPSTREAM_TLS' })
  t.equal(raw.requests.length, 0)
})

test('the name of a proxy is looked up, and CONNECT names the default port of the upstream', async t => {
  const { proxy } = await arrange(t)
  const { port } = new URL(proxy.origin)
  const asked: string[] = []
  const runtime = createRuntime({
    lookup: (hostname, _options, done) => {
      asked.push(hostname)
      done(null, [{ address: '127.0.0.1', family: 4 }])
    },
  })
  t.teardown(() => runtime.close())
  const far = defineUpstream(
    'far',
    { origin: 'https://127.0.0.1', proxy: `http://proxy.example:${port}`, retry: false, attemptTimeout: 30_000 },
    operations,
  )
  await failure(runtime.send(testRun().ask(far.ask())))
  t.same(asked, ['proxy.example'])
  t.match(proxy.requests, [{ target: '127.0.0.1:443' }])
})

test('a closed runtime leaves the proxy', async t => {
  const { proxy, raw, runtime, cats } = await arrange(t)
  await runtime.send(testRun().ask(cats.ask()))
  await runtime.close()
  await raw.deserted()
  t.match(await failure(runtime.send(testRun().ask(cats.ask()))), { code: 'RUNTIME_CLOSED' })
  t.equal(proxy.requests.length, 1)
})
