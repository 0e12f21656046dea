import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { forwardProxy } from '../helpers/forward-proxy.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

const secrets = {
  BEARER: 'bearer-5ecret-A',
  HEADER: 'header-5ecret-B',
  QUERY: 'query/5ecret&C',
  CLIENT_SECRET: 'client-5ecret-D',
  AUDIENCE: 'audience-5ecret-G',
  TENANT: 'tenant-5ecret-H',
}
const proxyPassword = 'proxy-5ecret-E'
const token = 'token-5ecret-F'

/** Definitions whose upstreams say who asks in every way, each with a step of its own. */
const definitions = `
import { aggregate, defineUpstream, env, operation } from 'headwaters'
import { z } from 'zod'

const operations = { ask: operation({ path: '/ask', output: z.object({ well: z.boolean() }) }) }
const origin = 'http://127.0.0.1:9'
const more = { origin, retry: false, breaker: false }
const bearer = defineUpstream('bearer', { ...more, auth: { bearer: env('BEARER') } }, operations)
const header = defineUpstream('header', { ...more, auth: { header: 'x-api-key', secret: env('HEADER') } }, operations)
const query = defineUpstream('query', { ...more, auth: { query: 'key', secret: env('QUERY') } }, operations)
const oauth = defineUpstream('oauth', {
  ...more,
  auth: { oauth2: {
    tokenUrl: env('TOKEN_URL'), clientId: 'us', clientSecret: env('CLIENT_SECRET'),
    audience: env('AUDIENCE'), parameters: { tenant: env('TENANT') },
  } },
}, operations)
const proxied = defineUpstream('proxied', { ...more, proxy: env('PROXY') }, operations)

const each = { bearer, header, query, oauth, proxied }
export const all: unknown = aggregate('all', {
  url: '/all/{of}', params: z.object({ of: z.enum(['bearer', 'header', 'query', 'oauth', 'proxied']) }), deadline: 400,
})
  .required('it', ({ params }) => each[params.of].ask())
  .reply(z.unknown(), ({ it }) => it)
export const lost: unknown = aggregate('lost', { url: '/lost', deadline: 400 })
  .optional('bearer', () => bearer.ask(), { fallback: null })
  .optional('inHeader', () => header.ask(), { fallback: null })
  .optional('inQuery', () => query.ask(), { fallback: null })
  .optional('oauth', () => oauth.ask(), { fallback: null }).optional('proxied', () => proxied.ask(), { fallback: null })
  .reply(z.unknown(), () => 1)
`

async function closedPort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Servers that fail in every way, the worst of them by sending back what they were sent. */
async function failing(t: Test): Promise<Readonly<Record<string, string>>> {
  const echo = (status: number) =>
    rawUpstream(t, (socket, { path, headers }) =>
      socket.write(json({ path, headers }, status, { 'x-echo': JSON.stringify([path, headers]) })),
    )
  const servers = {
    'answers something else': await echo(200),
    refuses: await echo(401),
    fails: await echo(500),
    resets: await rawUpstream(t, socket => socket.resetAndDestroy()),
    'speaks no HTTP': await rawUpstream(t, (socket, { path, headers }) =>
      socket.end(`${path} ${JSON.stringify(headers)}\r\n\r\n`),
    ),
    'says nothing': await rawUpstream(t, () => {}),
    'is not trusted': await rawUpstream(t, json({}), selfSigned),
  }
  return {
    ...Object.fromEntries(Object.entries(servers).map(([name, { origin }]) => [name, origin])),
    'is not there': `http://127.0.0.1:${await closedPort()}`,
  }
}

const upstreams = ['bearer', 'header', 'query', 'oauth', 'proxied']

test('no secret is in any line of the log, nor in any reply, however upstreams fail', { timeout: 120_000 }, async t => {
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const tokens = await rawUpstream(t, json({ access_token: token, token_type: 'Bearer', expires_in: 60 }))
  const proxy = await forwardProxy(t)
  const all = [
    ...Object.values(secrets),
    encodeURIComponent(secrets.QUERY),
    proxyPassword,
    token,
    Buffer.from(`us:${secrets.CLIENT_SECRET}`).toString('base64'),
    Buffer.from(`us:${proxyPassword}`).toString('base64'),
  ]
  const environment = {
    ...secrets,
    TOKEN_URL: `${tokens.origin}/token`,
    PROXY: proxy.origin.replace('//', `//us:${proxyPassword}@`),
    LOG_LEVEL: 'trace',
  }

  for (const [how, origin] of Object.entries(await failing(t))) {
    const origins = Object.fromEntries(
      upstreams.map(name => [`HEADWATERS_UPSTREAM_${name.toUpperCase()}_ORIGIN`, origin]),
    )
    const service = await startService(t, { ...environment, ...origins }, ['serve', path])
    const replies = await Promise.all(
      [
        ...upstreams.map(name => `/all/${name}`),
        '/lost',
        `/all/${encodeURIComponent(secrets.QUERY)}?api_key=${encodeURIComponent(secrets.QUERY)}`,
      ].map(async where => {
        const reply = await fetch(service.origin + where, { headers: { authorization: `Bearer ${token}` } })
        return `${reply.status} ${JSON.stringify([...reply.headers])} ${await reply.text()}`
      }),
    )
    t.match(replies[0], /^50[24] /, how)
    service.stop('SIGTERM')
    await service.ended
    const written = [...service.log.map(line => JSON.stringify(line)), ...replies, await service.errors].join('\n')
    t.match(written, /request failed/)
    t.same(
      all.filter(secret => written.includes(secret) || written.includes(JSON.stringify(secret).slice(1, -1))),
      [],
      how,
    )
  }
  t.match(tokens.requests[0]?.body, /&audience=audience-5ecret-G&tenant=tenant-5ecret-H$/)
  t.ok(proxy.requests.length > 0)
})

test('a secret that is missing or cannot be used ends the start with a line for each, and with 2', async t => {
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const { code, errors } = await runCommand(t, ['serve', path], {
    BEARER: ' ',
    QUERY: secrets.QUERY,
    TOKEN_URL: secrets.HEADER,
    PROXY: `https://us:${proxyPassword}@127.0.0.1`,
  })
  t.equal(code, 2)
  t.match(errors, /headwaters: invalid configuration/)
  for (const line of [
    "BEARER: is not set, and upstream 'bearer' needs it for auth",
    "HEADER: is not set, and upstream 'header' needs it for auth",
    'TOKEN_URL: is not the URL of a token endpoint',
    'CLIENT_SECRET: is not set',
    "AUDIENCE: is not set, and upstream 'oauth' needs it for auth.oauth2.audience",
    "TENANT: is not set, and upstream 'oauth' needs it for auth.oauth2.parameters.tenant",
    'PROXY: is not the URL of a proxy: write http://host:port',
  ])
    t.ok(errors.includes(line), line)
  for (const secret of [secrets.QUERY, secrets.HEADER, proxyPassword]) t.notOk(errors.includes(secret))
})

test('an upstream that is switched off needs no secret, and the document needs none either', async t => {
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const off = Object.fromEntries(upstreams.map(name => [`HEADWATERS_UPSTREAM_${name.toUpperCase()}_OFF`, '1']))
  const { origin } = await startService(t, off, ['serve', path])
  t.equal((await fetch(`${origin}/all/bearer`)).status, 503)
  t.match(await runCommand(t, ['openapi', path]), { code: 0 })
})

test('a run reads its secrets from the environment too', async t => {
  const raw = await rawUpstream(t, json({ well: true }))
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const { code, output } = await runCommand(t, ['run', 'all', '--of', 'bearer', path], {
    ...secrets,
    TOKEN_URL: 'http://127.0.0.1:9/',
    PROXY: 'http://127.0.0.1:9',
    HEADWATERS_UPSTREAM_BEARER_ORIGIN: raw.origin,
  })
  t.equal(code, 0)
  t.same(JSON.parse(output), { well: true })
  t.ok(
    raw.requests[0]?.headers.some(([name, value]) => name === 'authorization' && value === `Bearer ${secrets.BEARER}`),
  )
  t.match(await runCommand(t, ['run', 'all', '--of', 'bearer', path]), { code: 2, errors: /BEARER: is not set/ })
})

/** Definitions whose upstream has a secret, and an aggregate after whose reply that secret is in an uncaught error. */
const withSecret = (variable: string) => `
import { aggregate, defineUpstream, env, operation } from 'headwaters'
import { z } from 'zod'

const operations = { ask: operation({ path: '/ask', output: z.unknown() }) }
const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', auth: { bearer: env('${variable}') } }, operations)
export const fault: unknown = aggregate('fault', { url: '/${variable}' })
  .optional('it', () => source.ask(), { fallback: null })
  .reply(z.unknown(), () => { setImmediate(() => { throw new Error('caused by ' + process.env['${variable}']) }) })
`

test('a secret that came with a reload of --watch is in no line, also not in those of the first app', async t => {
  const { path, write } = definitionsFolder(t, { 'all.ts': withSecret('BEARER') })
  const service = await startService(t, secrets, ['serve', path, '--watch'])
  write('all.ts', withSecret('HEADER'))
  await service.said('definitions reloaded')
  await fetch(`${service.origin}/HEADER`).catch(() => {})
  t.same(await service.ended, { code: 1, signal: null })
  t.match(await service.said('uncaught error'), { err: { message: 'caused by [redacted]' } })
  t.same(
    service.log.filter(line => JSON.stringify(line).includes(secrets.HEADER)),
    [],
  )
})
