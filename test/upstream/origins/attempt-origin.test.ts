import { test, type Test } from 'tap'
import { env } from '../../../src/upstream/declare.ts'
import type { LayerCall } from '../../../src/upstream/spec/layer-types.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { numbered, originList } from '../../helpers/origin-list.ts'
import { json, rawUpstream, written, type RawRequest, type Script } from '../../helpers/raw-upstream.ts'

const ids = (count: number) => Array.from({ length: count }, (_, at) => String(at))
const authorization = ({ headers }: RawRequest) => new Map(headers).get('authorization')

test('a call keeps its origin over a token, a redirect and its layers', async t => {
  let issued = 0
  const endpoint = await rawUpstream(t, socket =>
    socket.write(json({ access_token: `token-${++issued}`, token_type: 'bearer', expires_in: 3600 })),
  )
  const script: Script = (socket, request) => {
    if (authorization(request) !== 'Bearer token-2') socket.write(json('refused', 401))
    else if (request.path === '/cats/1') socket.write(written(302, { location: '/moved' }, ''))
    else socket.write(json('well'))
  }
  const seen: (string | undefined)[] = []
  const noteOrigin = <T>(call: LayerCall<T>) => seen.push(call.origin)
  const { servers, cats, ask } = await originList(
    t,
    [script, script, script],
    {
      redirects: 1,
      auth: { oauth2: { tokenUrl: `${endpoint.origin}/token`, clientId: 'cats', clientSecret: env('SECRET') } },
      layers: { attempt: [next => call => (noteOrigin(call), next(call))] },
    },
    { environment: { SECRET: 'secret' } },
  )
  t.equal(await ask(cats.cat({ id: '1' })), 'well')
  const [asked, ...others] = servers.filter(({ requests }) => requests.length > 0)
  t.same(others, [], 'one origin has all requests')
  t.same(
    asked?.requests.map(request => `${request.path} ${authorization(request)}`),
    ['/cats/1 Bearer token-1', '/cats/1 Bearer token-2', '/moved Bearer token-2'],
  )
  t.same(seen, [asked?.origin, asked?.origin, asked?.origin])
})

test('an origin that was not asked before has the token of the upstream', async t => {
  const endpoint = await rawUpstream(t, json({ access_token: 'token', token_type: 'bearer', expires_in: 3600 }))
  const { servers, cats, ask } = await originList(
    t,
    [0, 1, 2].map(numbered),
    { auth: { oauth2: { tokenUrl: endpoint.origin, clientId: 'cats', clientSecret: env('SECRET') } } },
    { environment: { SECRET: 'secret' } },
  )
  for (const id of ids(30)) await ask(cats.cat({ id }))
  t.equal(endpoint.requests.length, 1)
  for (const { requests } of servers) {
    t.ok(requests.length > 0)
    for (const request of requests) t.equal(authorization(request), 'Bearer token')
  }
})

test('an origin is not ejected because the token endpoint fails', async t => {
  const endpoint = await rawUpstream(t, json('bad', 500))
  const { cats, ask, origins } = await originList(
    t,
    [0, 1].map(numbered),
    { auth: { oauth2: { tokenUrl: endpoint.origin, clientId: 'cats', clientSecret: env('SECRET') } } },
    { environment: { SECRET: 'secret' } },
  )
  for (const id of ids(20)) t.match(await failure(ask(cats.cat({ id }))), { code: 'UPSTREAM_AUTH' })
  t.match(origins(), [
    { state: 'available', attempts: 0 },
    { state: 'available', attempts: 0 },
  ])
})

test('an origin that refuses the token and then gets none is not at fault', async t => {
  let requests = 0
  const endpoint = await rawUpstream(t, socket =>
    socket.write(
      requests++ === 0 ? json({ access_token: 'old', token_type: 'bearer', expires_in: 3600 }) : json('bad', 500),
    ),
  )
  const { cats, ask, origins } = await originList(
    t,
    [json('refused', 401), json('refused', 401)],
    { auth: { oauth2: { tokenUrl: endpoint.origin, clientId: 'cats', clientSecret: env('SECRET') } } },
    { environment: { SECRET: 'secret' } },
  )
  t.match(await failure(ask(cats.cat({ id: '1' }))), { code: 'UPSTREAM_AUTH' })
  t.same(
    origins().map(({ failed }) => failed),
    [0, 0],
  )
})

test('a status that is the fault of the caller shows that its origin works', async t => {
  const { cats, ask, origins } = await originList(t, [json('none', 404), json('none', 404)])
  for (const id of ids(20)) await failure(ask(cats.cat({ id })))
  t.match(origins(), [
    { state: 'available', failed: 0 },
    { state: 'available', failed: 0 },
  ])
  t.ok(origins().every(({ attempts, latencyMs }) => attempts > 0 && latencyMs !== null))
})

test('a layer at a call does not see an origin', async t => {
  const seen: (string | undefined)[] = []
  const { cats, ask } = await originList(t, [0, 1].map(numbered), {
    layers: { call: [next => call => (seen.push(call.origin), next(call))] },
  })
  await ask(cats.cat({ id: '1' }))
  t.same(seen, [undefined])
})

test('a redirect to another origin of the list is not followed', async t => {
  const locations: string[] = []
  const script =
    (at: number): Script =>
    socket =>
      socket.write(written(302, { location: `${locations[1 - at]}/moved` }, ''))
  const { servers, cats, ask } = await originList(t, [script(0), script(1)], { redirects: 1 })
  locations.push(...servers.map(({ origin }) => origin))
  t.match(await failure(ask(cats.cat({ id: '1' }))), {
    code: 'UPSTREAM_STATUS',
    message: /its redirect leaves the origin/,
  })
})

test('a redirect to the origin of the attempt is followed', async t => {
  const locations: string[] = []
  const script =
    (at: number): Script =>
    (socket, { path }) =>
      socket.write(path === '/moved' ? json(at) : written(302, { location: `${locations[at]}/moved` }, ''))
  const { servers, cats, ask } = await originList(t, [script(0), script(1)], { redirects: 1 })
  locations.push(...servers.map(({ origin }) => origin))
  t.type(await ask(cats.cat({ id: '1' })), 'number')
})

test('equal calls to different origins share one entry of the cache', async t => {
  const script = (at: number): Script => json(at, 200, { 'cache-control': 'max-age=60' })
  const { cats, ask, counts } = await originList(t, [script(0), script(1), script(2)])
  const first = await ask(cats.kept({ id: '1' }))
  for (const _ of ids(20)) t.equal(await ask(cats.kept({ id: '1' })), first)
  t.equal(
    counts().reduce((all, each) => all + each),
    1,
  )
})

/**
 * Two origins that answer reads with the number of the read, and writes with a location.
 *
 * @param locationOf - Returns the location, from the origin of the attempt and the other one.
 */
async function twoWithLocations(t: Test, name: string, locationOf: (own: string, other: string) => string) {
  let reads = 0
  const origins: string[] = []
  const script =
    (at: number): Script =>
    (socket, { method }) =>
      socket.write(
        method === 'POST'
          ? json('made', 201, { [name]: locationOf(origins[at] as string, origins[1 - at] as string) })
          : json(++reads, 200, { 'cache-control': 'max-age=60' }),
      )
  const { servers, cats, ask } = await originList(t, [script(0), script(1)])
  origins.push(...servers.map(({ origin }) => origin))
  return { cats, ask }
}

test('the location that one origin names makes the entry of the upstream invalid', async t => {
  for (const name of ['location', 'content-location']) {
    const { cats, ask } = await twoWithLocations(t, name, own => `${own}/cats/1#top`)
    t.equal(await ask(cats.kept({ id: '1' })), 1)
    t.equal(await ask(cats.kept({ id: '1' })), 1)
    await ask(cats.post())
    t.equal(await ask(cats.kept({ id: '1' })), 2, name)
  }
})

test('the location of another origin than that of the attempt changes nothing', async t => {
  const { cats, ask } = await twoWithLocations(t, 'location', (_own, other) => `${other}/cats/1`)
  t.equal(await ask(cats.kept({ id: '1' })), 1)
  await ask(cats.post())
  t.equal(await ask(cats.kept({ id: '1' })), 1)
})

test('the span of an attempt names the server of its origin', async t => {
  const { servers, cats, ask } = await originList(t, [0, 1].map(numbered))
  const named: unknown[] = []
  const spans = {
    attemptStarted: (...[, , server]: readonly unknown[]) => void named.push(server),
  }
  const value = (await ask(cats.cat({ id: '1' }), Object.assign(testRun(), { spans }))) as number
  const { origin, port } = servers[value] as (typeof servers)[number]
  t.same(named, [{ address: '127.0.0.1', port, base: origin }])
})
