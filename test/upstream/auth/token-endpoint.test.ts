import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { Connection } from '../../../src/upstream/transport/connection.ts'
import { createRuntime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { tokenEndpoint } from '../../../src/upstream/auth/token-endpoint.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { forwardProxy } from '../../helpers/forward-proxy.ts'
import { json, rawUpstream, written, type Script } from '../../helpers/raw-upstream.ts'
import { relay } from '../../helpers/relay.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

const operations = { ask: operation({ path: '/ask', output: z.unknown() }) }
const secret = 's3cret &='
const token = (value: string, more = {}) => json({ access_token: value, token_type: 'Bearer', expires_in: 60, ...more })

/** The function that fetches a token of an origin. */
function fetching(t: Test, origin: string, timeout = 5000) {
  const connection = new Connection(origin, { connect: buildConnector({}) })
  t.teardown(() => connection.destroy())
  const access = {
    url: new URL(`${origin}/token`),
    isTrusted: false,
    clientId: 'us',
    clientSecret: secret,
    scope: undefined,
    audience: undefined,
    parameters: [],
    send: 'header',
  } as const
  return tokenEndpoint({ upstream: 'cats', access, dispatcher: connection, pathPrefix: '', headers: [], timeout })
}

interface Arranged {
  readonly path?: string
  readonly oauth2?: object
  readonly upstream?: Script
  readonly options?: Partial<UpstreamOptions>
  readonly runtimeOptions?: RuntimeOptions
}

async function arrange(
  t: Test,
  endpoint: Script,
  { path = '/oauth/token', oauth2 = {}, upstream = json('well'), options = {}, runtimeOptions = {} }: Arranged = {},
) {
  const [tokens, raw] = await Promise.all([rawUpstream(t, endpoint), rawUpstream(t, upstream)])
  const runtime = createRuntime({
    environment: { CATS_SECRET: secret, TOKEN_URL: tokens.origin + path },
    ...runtimeOptions,
  })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin,
      auth: {
        oauth2: { tokenUrl: tokens.origin + path, clientId: 'u:s', clientSecret: env('CATS_SECRET'), ...oauth2 },
      },
      ...options,
    },
    operations,
  )
  return { tokens, raw, runtime, ask: () => runtime.send(testRun().ask(cats.ask())) }
}

/** An endpoint that answers with these fields beside a token, asked without an upstream. */
async function arrangeLife(t: Test, fields: string) {
  const tokens = await rawUpstream(
    t,
    written(
      200,
      { 'content-type': 'application/json' },
      fields.replace(
        /^\{(.?)/,
        (_, next: string) => `{"access_token":"abc","token_type":"Bearer"${next === '}' ? '}' : `,${next}`}`,
      ),
    ),
  )
  const ask = fetching(t, tokens.origin)
  return { lives: async () => (await ask()).livesMs }
}

test('a token is asked for by client credentials, and calls leave with it', async t => {
  const { tokens, raw, ask } = await arrange(t, token('abc'), {
    path: '/oauth/token/?tenant=1',
    oauth2: { scope: 'read write' },
  })
  t.match(await ask(), { value: 'well' })
  t.equal(tokens.requests.length, 1)
  t.match(tokens.requests[0], {
    method: 'POST',
    path: '/oauth/token/?tenant=1',
    body: 'grant_type=client_credentials&scope=read+write',
  })
  t.match(Object.fromEntries(tokens.requests[0]?.headers ?? []), {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    host: new URL(tokens.origin).host,
    authorization: `Basic ${Buffer.from('u%3As:s3cret%20%26%3D').toString('base64')}`,
  })
  t.equal(Object.fromEntries(raw.requests[0]?.headers ?? [])['authorization'], 'Bearer abc')
})

test('a token is taken with white space behind the headers that frame it', async t => {
  const body = JSON.stringify({ access_token: 'abc', token_type: 'Bearer' })
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json \r\n'
  for (const answer of [
    `${head}content-length: ${body.length} \r\n\r\n${body}`,
    `${head}transfer-encoding: chunked \r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ]) {
    const { raw, ask } = await arrange(t, answer)
    t.match(await ask(), { value: 'well' })
    t.equal(Object.fromEntries(raw.requests[0]?.headers ?? [])['authorization'], 'Bearer abc')
  }
  const { ask } = await arrange(t, socket => socket.end(`${head}content-length: ${body.length + 1} \r\n\r\n${body}`))
  t.match(await failure(ask()), { code: 'UPSTREAM_AUTH' }, 'it is cut')
})

test('each token goes to the listener that redacts the log, and a listener that throws fails no call', async t => {
  const told: string[] = []
  const onToken = (each: string) => {
    told.push(each)
    throw new Error('a fault of the listener')
  }
  const { raw, ask } = await arrange(t, token('abc'), { runtimeOptions: { onToken } })
  t.match(await ask(), { value: 'well' })
  t.same(told, ['abc'])
  t.equal(Object.fromEntries(raw.requests[0]?.headers ?? [])['authorization'], 'Bearer abc')
})

test('an endpoint that wants them in the body gets them there', async t => {
  const { tokens, ask } = await arrange(t, token('abc'), { oauth2: { send: 'body' } })
  await ask()
  t.same(Object.fromEntries(new URLSearchParams(tokens.requests[0]?.body)), {
    grant_type: 'client_credentials',
    client_id: 'u:s',
    client_secret: secret,
  })
  t.notOk(tokens.requests[0]?.headers.some(([name]) => name === 'authorization'))
})

test('a token is requested with the audience and the further parameters, in the order of their names', async t => {
  const parameters = { tenant: env('TENANT'), resource: 'https://cats.example/a?b', '1': 'one' }
  const { tokens, raw, ask } = await arrange(t, token('abc'), {
    oauth2: { scope: 'read', audience: env('AUDIENCE'), parameters, send: 'body' },
    runtimeOptions: { environment: { CATS_SECRET: 'a', TENANT: 'us & them', AUDIENCE: 'cats=1' } },
  })
  t.match(await ask(), { value: 'well' })
  t.equal(
    tokens.requests[0]?.body,
    'grant_type=client_credentials&scope=read&audience=cats%3D1&client_id=u%3As&client_secret=a' +
      '&1=one&resource=https%3A%2F%2Fcats.example%2Fa%3Fb&tenant=us+%26+them',
  )
  t.equal(Object.fromEntries(raw.requests[0]?.headers ?? [])['authorization'], 'Bearer abc')
})

test('a call fails with the name of a parameter whose variable is missing, and no token is requested', async t => {
  const { tokens, ask } = await arrange(t, token('abc'), {
    oauth2: { parameters: { tenant: env('TENANT') }, audience: env('AUDIENCE') },
    runtimeOptions: { environment: { CATS_SECRET: 'a', AUDIENCE: 'audience-5ecret' } },
  })
  const { message } = (await failure(ask())) as Error
  t.match(message, /TENANT is not set, and upstream 'cats' needs it for auth\.oauth2\.parameters\.tenant: pass/)
  t.notMatch(message, '5ecret')
  t.equal(tokens.requests.length, 0)
})

test('a hundred calls at once ask for one token', async t => {
  const { tokens, raw, ask } = await arrange(t, token('abc'))
  await Promise.all(Array.from({ length: 100 }, ask))
  t.equal(tokens.requests.length, 1)
  t.equal(raw.requests.length, 100)
})

test('a token that the upstream refuses is renewed once, and the calls are sent again with the new one', async t => {
  const { tokens, raw, ask } = await arrange(t, (socket, { index }) => socket.write(token(`token-${index}`)), {
    upstream: (socket, { headers }) =>
      socket.write(headers.some(([, value]) => value === 'Bearer token-0') ? json({}, 401) : json('well')),
  })
  const answers = await Promise.all(Array.from({ length: 20 }, ask))
  t.same(new Set(answers.map(({ value }) => value)), new Set(['well']))
  t.equal(tokens.requests.length, 2)
  t.equal(raw.requests.length, 40)
})

test('an answer of the token endpoint without a bearer token fails with an error that does not quote it', async t => {
  const words = 'SECRET-WORDS'
  const lines: readonly (readonly [string, Script, object])[] = [
    [
      'a refusal',
      json({ error: 'invalid_client', error_description: words }, 401),
      { message: /its token endpoint answered status 401$/, cause: { message: 'invalid_client' } },
    ],
    [
      'a refusal of another shape',
      json({ error: `${words} ${words}` }, 400),
      { message: /answered status 400$/, cause: undefined },
    ],
    ['a refusal that is no JSON', written(503, {}, words), { message: /answered status 503$/ }],
    ['a redirect', written(302, { location: 'http://127.0.0.1:1/' }, ''), { message: /answered status 302$/ }],
    ['no JSON', written(200, {}, words), { message: /did not answer with a bearer token$/ }],
    ['another kind of token', token('abc', { token_type: 'mac' }), { message: /did not answer with a bearer token$/ }],
    ['a token that is no header', token('a b\r\nx: y'), { message: /did not answer with a bearer token$/ }],
    ['no token', json({ token_type: 'Bearer' }), { message: /did not answer with a bearer token$/ }],
    ['a null', json(null), { message: /did not answer with a bearer token$/ }],
    ['too much', token('abc', { more: 'x'.repeat(70_000) }), { message: /the request to its token endpoint failed$/ }],
    ['a reset', socket => socket.resetAndDestroy(), { message: /the request to its token endpoint failed$/ }],
    ['no HTTP', 'nonsense\r\n\r\n', { message: /the request to its token endpoint failed$/ }],
  ]
  for (const [what, endpoint, expected] of lines) {
    const { raw, ask } = await arrange(t, endpoint)
    const error = await failure(ask())
    t.match(error, { code: 'UPSTREAM_AUTH', statusCode: 502, verdict: 'ignored', retryable: false, ...expected }, what)
    t.notMatch((error as Error).message, words)
    t.notMatch(
      JSON.stringify((error as Error).cause instanceof Error ? ((error as Error).cause as Error).message : ''),
      words,
    )
    t.equal(raw.requests.length, 0)
  }
})

test('a life that is missing or is not a number is 300 s', async t => {
  for (const expires of [
    undefined,
    null,
    'soon',
    '',
    ' ',
    '60 s',
    '0x10',
    'Infinity',
    '1'.repeat(400),
    true,
    [],
    [60],
    {},
  ]) {
    const { lives } = await arrangeLife(t, JSON.stringify({ expires_in: expires }))
    t.equal(await lives(), 300_000, JSON.stringify(expires) ?? 'none')
  }
  t.equal(await (await arrangeLife(t, '{"expires_in":1e999}')).lives(), 300_000)
})

test('a life may be a number or a text of one', async t => {
  for (const [expires, ms] of [
    [3600, 3_600_000],
    ['3600', 3_600_000],
    ['60.5', 60_500],
    [0.5, 500],
    [1, 1000],
    [0, 0],
    ['0', 0],
    [-1, 0],
    ['-3600', 0],
    [-0, 0],
    ['+60', 60_000],
  ] as const) {
    const { lives } = await arrangeLife(t, JSON.stringify({ expires_in: expires }))
    t.equal(await lives(), ms, JSON.stringify(expires))
  }
})

test('a token whose life is 0 or below serves the call that asked for it and is not kept', async t => {
  for (const expires of [0, -1, '0', '-3600']) {
    const { tokens, raw, ask } = await arrange(t, (socket, { index }) =>
      socket.write(token(`token-${index}`, { expires_in: expires })),
    )
    for (const asked of [1, 2, 3]) {
      t.match(await ask(), { value: 'well' })
      t.equal(tokens.requests.length, asked, `${expires}: one request for a token per call`)
    }
    t.same(
      raw.requests.map(({ headers }) => headers.find(([name]) => name === 'authorization')?.[1]),
      ['Bearer token-0', 'Bearer token-1', 'Bearer token-2'],
    )
    await Promise.all([ask(), ask(), ask()])
    t.equal(tokens.requests.length, 4, 'and one for all calls that wait for it')
  }
})

test('an endpoint that never answers holds a call no longer than its attempt, and a closed runtime ends the wait', async t => {
  const { ask, runtime, tokens } = await arrange(t, () => {}, { options: { attemptTimeout: 40, retry: false } })
  t.match(
    await failure(ask()),
    { code: 'UPSTREAM_AUTH', verdict: 'ignored' },
    'which says nothing of the upstream, which was not asked',
  )
  t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
  t.equal(tokens.requests.length, 1)
  const waits = failure(ask())
  await runtime.close()
  t.match(await waits, { code: 'RUNTIME_CLOSED' })
  await tokens.deserted()
})

test('a fetch of a token has a limit of its own, after which later calls fetch again', async t => {
  const tokens = await rawUpstream(t, () => {})
  const ask = fetching(t, tokens.origin, 40)
  t.match(await failure(ask()), { code: 'UPSTREAM_AUTH', message: /its token endpoint did not answer within 40 ms$/ })
  await tokens.deserted()
})

test('the endpoint is reached as the upstream is: with its TLS, through its proxy, at public addresses only', async t => {
  const tokens = await rawUpstream(t, token('abc'), selfSigned)
  const raw = await rawUpstream(t, json('well'), selfSigned)
  const proxy = await forwardProxy(t)
  const runtime = createRuntime({ environment: { CATS_SECRET: secret } })
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin,
      proxy: proxy.origin,
      tls: { ca: selfSigned.cert, servername: '127.0.0.1' },
      auth: { oauth2: { tokenUrl: `${tokens.origin}/token`, clientId: 'us', clientSecret: env('CATS_SECRET') } },
    },
    operations,
  )
  t.match(await runtime.send(testRun().ask(cats.ask())), { value: 'well' })
  t.same(
    proxy.requests.map(({ target }) => target),
    [new URL(tokens.origin).host, new URL(raw.origin).host],
  )
})

test('a request for a token that never left is sent once more, and no other is', async t => {
  const tokens = await rawUpstream(t, token('abc'), selfSigned)
  const raw = await rawUpstream(t, json('well'))
  const outcomes: readonly (readonly [
    bad: number,
    (socket: Socket) => unknown,
    expected: object,
    connections: number,
  ])[] = [
    [1, socket => socket.end(), { value: 'well' }, 2],
    [1, socket => socket.resetAndDestroy(), { value: 'well' }, 2],
    [2, socket => socket.end(), { code: 'UPSTREAM_AUTH', message: /the request to its token endpoint failed$/ }, 2],
    [
      1,
      socket => socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40]))),
      { code: 'UPSTREAM_AUTH' },
      1,
    ],
  ]
  for (const [bad, treatment, expected, connections] of outcomes) {
    const before = await relay(t, tokens.port, connection => (connection < bad ? treatment : 'pass'))
    const runtime = createRuntime({ environment: { CATS_SECRET: secret } })
    t.teardown(() => runtime.close())
    const cats = defineUpstream(
      'cats',
      {
        origin: raw.origin,
        tls: { ca: selfSigned.cert },
        retry: false,
        auth: {
          oauth2: {
            tokenUrl: `https://127.0.0.1:${before.port}/token`,
            clientId: 'us',
            clientSecret: env('CATS_SECRET'),
          },
        },
      },
      operations,
    )
    t.match(await runtime.send(testRun().ask(cats.ask())).catch((error: unknown) => error), expected)
    t.equal(before.connections, connections)
  }
  const resets = await arrange(t, socket => socket.resetAndDestroy())
  t.match(await failure(resets.ask()), { code: 'UPSTREAM_AUTH' })
  t.equal(resets.tokens.requests.length, 1, 'one that has left is not sent again')
})

test('a runtime that closes gives up the connection to a token endpoint', async t => {
  const raw = await rawUpstream(t, json('well'))
  const arrived = Promise.withResolvers<void>()
  const endpoint = await relay(t, 0, () => socket => socket.once('data', () => arrived.resolve()))
  const runtime = createRuntime({ environment: { CATS_SECRET: secret } })
  const cats = defineUpstream(
    'cats',
    {
      origin: raw.origin,
      connectTimeout: 600_000,
      auth: {
        oauth2: {
          tokenUrl: `https://127.0.0.1:${endpoint.port}/token`,
          clientId: 'us',
          clientSecret: env('CATS_SECRET'),
        },
      },
    },
    operations,
  )
  const lost = failure(runtime.send(testRun({ deadline: 600_000 }).ask(cats.ask())))
  await arrived.promise
  await runtime.close()
  t.match(await lost, { code: 'RUNTIME_CLOSED' })
  await endpoint.deserted()
})

test('a token endpoint inside is not asked for a public upstream, unless the environment names it', async t => {
  const { tokens } = await arrange(t, token('abc'))
  const raw = await rawUpstream(t, json('well'))
  const { port } = new URL(tokens.origin)
  const runtime = createRuntime({
    environment: { CATS_SECRET: secret, TOKEN_URL: `http://auth.example:${port}/token` },
    overrides: { cats: { origin: raw.origin } },
    lookup: (_hostname, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  t.teardown(() => runtime.close())
  const define = (tokenUrl: string | ReturnType<typeof env>) =>
    defineUpstream(
      'cats',
      {
        origin: 'https://cats.example',
        publicOnly: true,
        auth: { oauth2: { tokenUrl, clientId: 'us', clientSecret: env('CATS_SECRET') } },
      },
      operations,
    )
  t.match(await failure(runtime.send(testRun().ask(define(`http://auth.example:${port}/token`).ask()))), {
    code: 'UPSTREAM_AUTH',
    cause: { code: 'ADDRESS_REFUSED' },
  })
  t.equal(tokens.connections, 0)
  t.match(await runtime.send(testRun().ask(define(env('TOKEN_URL')).ask())), { value: 'well' })
})
