import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { json, rawUpstream, written, type RawRequest } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'

const secrets = {
  BEARER: 'bearer-5ecret-A',
  QUERY: 'query/5ecret&B',
  CLIENT_SECRET: 'client-5ecret-C',
  AUDIENCE: 'audience-5ecret/L',
  TENANT: 'tenant-5ecret&M',
  ADMIN_KEY: 'admin-5ecret-of-many-characters-D',
  apiKey: 'api-5ecret-of-many-characters-E',
  otherKey: 'other-5ecret-of-many-characters-F',
  token: 'token-5ecret-G',
  proxyPassword: 'proxy-5ecret-H',
  cookie: 'cookie-5ecret-I',
  password: 'password-5ecret-J',
  parameter: 'parameter-5ecret-K',
}

/** Aggregates that call an upstream at a place, that throw its secrets, and that read credentials of a caller. */
const definitions = `
import { aggregate, defineUpstream, env, operation, refuse } from 'headwaters'
import { z } from 'zod'

const operations = {
  at: operation({ path: '/{place}', params: z.object({ place: z.string() }), output: z.strictObject({ well: z.boolean() }) }),
  log: operation({
    path: '/log', query: z.object({ access_token: z.string() }), output: z.strictObject({ well: z.boolean() }),
  }),
}
const more = { origin: process.env.ORIGIN, retry: false, breaker: false }
const bearer = defineUpstream('bearer', { ...more, auth: { bearer: env('BEARER') }, forwardHeaders: ['cookie'] }, operations)
const inQuery = defineUpstream('in-query', { ...more, auth: { query: 'key', secret: env('QUERY') } }, operations)
const further = { audience: env('AUDIENCE'), parameters: { tenant: env('TENANT') } }
const oauth = defineUpstream('oauth', {
  ...more, auth: { oauth2: { tokenUrl: env('TOKEN_URL'), clientId: 'us', clientSecret: env('CLIENT_SECRET'), ...further } },
}, operations)
const denied = defineUpstream('denied', {
  ...more, auth: { oauth2: { tokenUrl: env('DENIED_URL'), clientId: 'us', clientSecret: env('CLIENT_SECRET'), ...further } },
}, operations)
const proxied = defineUpstream('proxied', { ...more, proxy: env('PROXY') }, operations)
const each = { bearer, inQuery, oauth, denied, proxied }
const names = Object.keys(each)

export const failed: unknown = aggregate('failed', {
  url: '/failed/{of}/{place}', params: z.object({ of: z.enum(names), place: z.string() }), deadline: 2000,
})
  .required('it', ({ params }) => each[params.of].at({ place: params.place }))
  .reply(z.unknown(), ({ it }) => it)
let partial = aggregate('partial', { url: '/partial/{place}', params: z.object({ place: z.string() }), deadline: 2000 })
for (const name of names)
  partial = partial.optional(name, ({ params }) => each[name].at({ place: params.place }), { fallback: null })
export const all: unknown = partial.reply(z.unknown(), () => 1)

export const bug: unknown = aggregate('bug', { url: '/bug' }).reply(z.unknown(), () => {
  const { BEARER, CLIENT_SECRET, AUDIENCE, TENANT, API_KEYS, PROXY } = process.env
  throw Object.assign(
    new AggregateError(
      [new Error('first ' + CLIENT_SECRET), new Error(AUDIENCE + ' and ' + TENANT)],
      'failed with ' + BEARER, { cause: new Error(API_KEYS, { cause: PROXY }) },
    ),
    { request: { headers: { authorization: 'Bearer ' + BEARER, cookie: BEARER } }, url: PROXY, list: [{ deep: CLIENT_SECRET }] },
  )
})
export const refused: unknown = aggregate('refused', { url: '/refused' })
  .reply(z.unknown(), () => refuse(403, 'not with ' + process.env.BEARER))
export const read: unknown = aggregate('read', {
  url: '/read/{id}', method: 'POST', params: z.object({ id: z.string().max(3) }),
  query: z.strictObject({ n: z.coerce.number() }), body: z.strictObject({ password: z.string().max(3) }),
  headers: z.object({ cookie: z.string().max(3) }),
}).reply(z.unknown(), () => 1)
export const logged: unknown = aggregate('logged', { url: '/logged', query: z.object({ access_token: z.string() }) })
  .optional('it', ({ query: { access_token } }) => bearer.log({ access_token }), { fallback: null })
  .reply(z.unknown(), () => 1)
`

/** What an upstream may write of a request that it got. */
const echoOf = ({ path, headers }: RawRequest) =>
  [...headers.filter(([name]) => /auth|cookie/.test(name)).map(([, value]) => value), path].join(' ')

/** Places of an answer in which an upstream writes what it was sent. */
const places: Readonly<Record<string, (request: RawRequest) => string | Buffer>> = {
  'keys-of-json': request => json({ [echoOf(request)]: 1 }),
  'a-value-of-json': request => json({ well: echoOf(request) }),
  'broken-json': request => written(200, { 'content-type': 'application/json' }, `{"${echoOf(request)}`),
  'an-error': request => json({ error: echoOf(request) }, 500),
  'a-content-type': request => written(200, { 'content-type': `text/plain; charset="${echoOf(request)}"` }, 'a'),
  'a-content-coding': request => json({}, 200, { 'content-encoding': echoOf(request) }),
  'a-location': request =>
    written(302, { location: `http://127.0.0.1/?token=${encodeURIComponent(echoOf(request))}` }, ''),
  'a-status-line': request => `HTTP/1.1 500 ${echoOf(request)}\r\ncontent-length: 0\r\n\r\n`,
  'bytes-that-are-not-http': request => `${echoOf(request)}\r\n\r\n`,
  'a-header-that-is-invalid': request => `HTTP/1.1 200 OK\r\n${echoOf(request)}\x00: 1\r\n\r\n`,
}

test(
  'no secret is in a line of the log, wherever an upstream, a caller or a definition has it',
  { timeout: 120_000 },
  async t => {
    const { path } = definitionsFolder(t, { 'all.ts': definitions })
    const upstream = await rawUpstream(t, (socket, request) => {
      const place = places[/^\/([\w-]+)/.exec(new URL(request.path, 'http://a').pathname)?.[1] ?? '']
      socket.write(place === undefined ? json({ error: echoOf(request) }, 500) : place(request))
    })
    const tokens = await rawUpstream(t, json({ access_token: secrets.token, token_type: 'Bearer', expires_in: 60 }))
    const denying = await rawUpstream(t, (socket, request) =>
      socket.write(json({ error: 'invalid_client', error_description: `${echoOf(request)} ${request.body}` }, 401)),
    )
    const proxy = await rawUpstream(t, (socket, request) =>
      socket.write(json({ error: echoOf(request) }, 407, { 'x-echo': echoOf(request) })),
    )
    const service = await startService(
      t,
      {
        LOG_LEVEL: 'trace',
        BEARER: secrets.BEARER,
        QUERY: secrets.QUERY,
        CLIENT_SECRET: secrets.CLIENT_SECRET,
        AUDIENCE: secrets.AUDIENCE,
        TENANT: secrets.TENANT,
        ADMIN_KEY: secrets.ADMIN_KEY,
        API_KEYS: `${secrets.apiKey},${secrets.otherKey}`,
        ORIGIN: upstream.origin,
        TOKEN_URL: `${tokens.origin}/token`,
        DENIED_URL: `${denying.origin}/token?key=${secrets.parameter}`,
        PROXY: proxy.origin.replace('//', `//us:${secrets.proxyPassword}@`),
      },
      ['serve', path],
    )
    const ask = async (
      where: string,
      init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> } = {},
    ) => {
      const headers = {
        authorization: `Bearer ${secrets.apiKey}`,
        cookie: `session=${secrets.cookie}`,
        ...init.headers,
      }
      const { status } = await fetch(service.origin + where, { ...init, headers })
      return status
    }
    const json_ = { 'content-type': 'application/json' }
    const statuses: Record<string, number> = {}
    for (const place of Object.keys(places)) {
      statuses[`partial ${place}`] = await ask(`/partial/${place}`)
      for (const name of ['bearer', 'inQuery', 'oauth', 'denied', 'proxied'])
        statuses[`${name} ${place}`] = await ask(`/failed/${name}/${place}?api_key=${secrets.apiKey}`)
    }
    t.same(
      Object.entries(statuses).filter(([name, status]) => (name.startsWith('partial') ? status !== 200 : status < 500)),
      [],
    )
    t.equal(await ask('/bug'), 500)
    t.equal(await ask('/refused'), 403)
    t.equal(await ask(`/logged?access_token=${secrets.parameter}`), 200)
    t.equal(await ask(`/nowhere/${secrets.apiKey}?token=${secrets.parameter}`), 404)
    t.equal(await ask('/bug', { headers: { authorization: `Bearer ${secrets.otherKey}x` } }), 401)
    t.equal(await ask('/bug', { headers: { authorization: `Basic ${btoa(`us:${secrets.password}`)}` } }), 401)
    const body = JSON.stringify({ password: secrets.password, [secrets.BEARER]: 1 })
    t.equal(await ask(`/read/${secrets.apiKey}?n=${secrets.parameter}`, { method: 'POST', headers: json_, body }), 400)
    t.equal(await ask('/read/1?n=1', { method: 'POST', headers: json_, body: `{"${secrets.password}` }), 400)
    t.equal(await ask('/read/1?n=1', { method: 'POST', headers: { 'content-type': secrets.password }, body }), 415)
    service.stop('SIGTERM')
    await service.ended

    for (const msg of [
      'request failed',
      'reply is partial',
      'request failed: internal error',
      'request refused',
      'configuration',
    ])
      t.ok(
        service.log.some(line => line.msg === msg),
        msg,
      )
    const lines = service.log.map(line => JSON.stringify(line))
    const text = (secret: string) => JSON.stringify(secret).slice(1, -1)
    const base64 = (of: string) => Buffer.from(of).toString('base64')
    for (const [name, secret] of Object.entries(secrets))
      for (const form of [secret, encodeURIComponent(secret), base64(secret), base64(`us:${secret}`)])
        t.same(
          lines.filter(line => line.includes(text(form))),
          [],
          `${name} as ${form}`,
        )
    t.notMatch(await service.errors, '5ecret')
  },
)
