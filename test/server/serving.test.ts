import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { hostileUpstream } from '../helpers/hostile-upstream.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { sentTraces } from '../helpers/sent-trace.ts'
import { startService } from '../helpers/service-process.ts'

interface Body {
  readonly complete?: boolean
  readonly code?: string
  readonly data: { readonly facts: readonly { readonly text: string }[] }
}

test('the service starts with demo upstreams, says where it is and what it serves, and serves', async t => {
  const { origin, said } = await startService(t)
  t.match(await said('serving'), { level: 30, upstreams: 'demo', aggregates: ['GET /v1/cat-facts (cat-facts)'] })
  const response = await fetch(`${origin}/v1/cat-facts?count=5`)
  t.equal(response.status, 200)
  const { data } = (await response.json()) as Body
  t.ok(data.facts.length >= 5)
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
})

test('the command without arguments serves', async t => {
  const { origin } = await startService(t, {}, [])
  t.equal((await fetch(`${origin}/health/live`)).status, 200)
})

test('the service starts while an upstream is down, and answers 502 UPSTREAM_UNREACHABLE to a request that needs it', async t => {
  const upstream = await hostileUpstream(t, 'catfact-ninja', 'down')
  const { origin, said } = await startService(t, { HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: upstream.origin })
  const response = await fetch(`${origin}/v1/cat-facts?count=2`)
  t.equal(response.status, 502)
  t.match(response.headers.get('content-type'), 'application/problem+json')
  t.match(await response.json(), { code: 'UPSTREAM_UNREACHABLE', sources: { ninja: { state: 'failed' } } })
  t.match(await said('request failed'), { level: 40, code: 'UPSTREAM_UNREACHABLE' })

  await upstream.recover()
  t.equal((await fetch(`${origin}/v1/cat-facts?count=2`)).status, 200)
})

test('an origin may carry a path, and an upstream may be switched off', async t => {
  const ninja = await rawUpstream(t, json({ fact: 'Cats purr.', length: 10 }))
  const { origin } = await startService(t, {
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: `${ninja.origin}/under/`,
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
  })
  const body = await (await fetch(`${origin}/v1/cat-facts?count=1`)).json()
  t.match(body, {
    complete: false,
    sources: {
      ninja: { state: 'ok' },
      meow: { state: 'fallback', code: 'UPSTREAM_OFF', attempts: 0 },
      picture: { state: 'ok' },
    },
  })
  t.same(
    ninja.requests.map(({ path }) => path),
    ['/under/fact'],
  )
})

test('a trace goes through the service, in one process and in several, and a share of new traces is sampled', async t => {
  for (const workers of ['1', '2']) {
    const source = await rawUpstream(t, json({ word: 'cat' }))
    const { path } = definitionsFolder(t, {
      'words.ts': words(source.origin).replace("origin: '", "traceContext: true, origin: '"),
    })
    const { origin, saidTimes } = await startService(t, { TRACE_SAMPLED_PERCENT: '100' }, [
      'serve',
      path,
      '--workers',
      workers,
    ])
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const traceparent = `00-${traceId}-00f067aa0ba902b7-00`
    t.equal((await fetch(`${origin}/words`)).status, 200)
    t.equal((await fetch(`${origin}/words`, { headers: { traceparent, tracestate: 'a=1' } })).status, 200)
    const [first, second] = sentTraces(source)
    t.match(first, { flags: '01', tracestate: undefined }, workers)
    t.match(second, { traceId, flags: '00', tracestate: 'a=1' }, workers)
    const lines = await saidTimes('request completed', 2)
    t.match(
      Object.fromEntries(lines.map(line => [line['trace_id'], line['trace_flags']])),
      { [first?.traceId as string]: '01', [traceId]: '00' },
      workers,
    )
  }
})

test('the URL of a request is logged without its query and truncated', async t => {
  const { origin, said, log, stop, ended } = await startService(t)
  await fetch(`${origin}/nowhere?api_key=secret-9f2d`, {
    headers: { authorization: 'Bearer secret-9f2d', cookie: 'id=secret-9f2d' },
  })
  await fetch(`${origin}/${'a'.repeat(5000)}`)
  stop('SIGTERM')
  await ended
  await said('draining')
  const requests = log.map(({ req }) => req as { readonly url: string } | undefined).filter(req => req !== undefined)
  t.match(requests, [
    { method: 'GET', url: '/nowhere', host: new URL(origin).host, remoteAddress: '127.0.0.1' },
    { url: `/${'a'.repeat(499)}[cut] (4501 more)` },
  ])
  t.notMatch(JSON.stringify(log), 'secret-9f2d')
})

test('with --live the service calls no upstream before the first request', async t => {
  const { origin, said, log } = await startService(t, { HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1' }, ['serve', '--live'])
  t.match(await said('serving'), { upstreams: 'public' })
  t.equal((await fetch(`${origin}/health/ready`)).status, 200)
  t.same(
    log.filter(({ level }) => level > 30),
    [],
  )
})
