import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { readAccess } from '../../../src/upstream/auth/access.ts'
import { defineUpstream, env, specOf, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { proxyFor } from '../../../src/upstream/connect/proxy.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

const secret = env('CATS_KEY')
const oauth2 = { tokenUrl: 'https://auth.example/token', clientId: 'us', clientSecret: secret }

function read(options: Partial<UpstreamOptions>, environment: Record<string, string | undefined> = {}) {
  return readAccess(specOf(defineUpstream('cats', { origin: 'https://cats.example', ...options }, {})), environment)
}

test('an upstream that declares nothing needs nothing', async t => {
  t.same(read({}), {
    credentials: undefined,
    token: undefined,
    secureContext: undefined,
    proxy: undefined,
    secrets: [],
    faults: [],
    fingerprint: '',
  })
})

test('secrets are read without surrounding blanks and are registered as secrets', async t => {
  const environment = { CATS_KEY: ' k&y= \n' }
  t.match(read({ auth: { bearer: secret } }, environment), {
    credentials: { headers: ['authorization', 'Bearer k&y='], query: '' },
    secrets: ['k&y='],
    faults: [],
  })
  t.match(read({ auth: { header: 'X-Api-Key', secret } }, environment), {
    credentials: { headers: ['x-api-key', 'k&y='], query: '' },
    secrets: ['k&y='],
  })
  t.match(read({ auth: { query: 'key', secret } }, environment), {
    credentials: { headers: [], query: 'key=k%26y%3D' },
    secrets: ['k&y=', 'k%26y%3D'],
  })
  t.match(read({ auth: { oauth2 } }, environment), {
    credentials: undefined,
    token: { clientId: 'us', clientSecret: 'k&y=', isTrusted: false, send: 'header', scope: undefined },
    secrets: ['k&y='],
  })
  const all = { CATS_KEY: 'k', TOKEN_URL: 'http://10.0.0.1/token', CLIENT: 'them' }
  const { token } = read(
    {
      auth: {
        oauth2: {
          tokenUrl: env('TOKEN_URL'),
          clientId: env('CLIENT'),
          clientSecret: secret,
          send: 'body',
          scope: 'a b',
        },
      },
    },
    all,
  )
  t.match(token, { clientId: 'them', isTrusted: true, send: 'body', scope: 'a b' })
  t.equal(token?.url.href, 'http://10.0.0.1/token')
})

test('the audience and the further parameters are read, and those from the environment are registered as secrets', t => {
  const parameters = { tenant: env('TENANT'), '1': 'one', resource: 'https://cats.example' }
  const { token, secrets, faults } = read(
    { auth: { oauth2: { ...oauth2, audience: env('AUDIENCE'), parameters } } },
    { CATS_KEY: 'k', AUDIENCE: ' cats ', TENANT: 't&n=' },
  )
  t.same(faults, [])
  t.equal(token?.audience, 'cats')
  t.same(
    token?.parameters,
    [
      ['1', 'one'],
      ['resource', 'https://cats.example'],
      ['tenant', 't&n='],
    ],
    'in the order of their names',
  )
  t.same(secrets, ['k', 'cats', 't&n='])
  const literal = read({ auth: { oauth2: { ...oauth2, audience: 'cats' } } }, { CATS_KEY: 'k' })
  t.match(literal, { token: { audience: 'cats', parameters: [] }, secrets: ['k'] })
  t.end()
})

test('a missing or invalid variable is reported with its name and the option that needs it, without its value', async t => {
  const faults = (options: Partial<UpstreamOptions>, environment = {}) =>
    read(options, environment).faults.map(({ variable, reason }) => `${variable}: ${reason}`)
  const missing = (what: string, variable = 'CATS_KEY') =>
    `${variable}: is not set, and upstream 'cats' needs it for ${what}`
  for (const environment of [{}, { CATS_KEY: '' }, { CATS_KEY: ' ' }]) {
    t.same(faults({ auth: { bearer: secret } }, environment), [missing('auth')])
  }
  t.same(faults({ auth: { query: 'key', secret } }), [missing('auth')])
  t.same(faults({ auth: { bearer: secret } }, { CATS_KEY: 'a\nb' }), [
    'CATS_KEY: contains characters that are not allowed in a header',
  ])
  t.same(faults({ auth: { header: 'x-key', secret } }, { CATS_KEY: 'ü' }), [
    'CATS_KEY: contains characters that are not allowed in a header',
  ])
  t.same(faults({ auth: { oauth2: { tokenUrl: env('URL'), clientId: env('ID'), clientSecret: secret } } }), [
    missing('auth.oauth2.tokenUrl', 'URL'),
    missing('auth.oauth2.clientId', 'ID'),
    missing('auth.oauth2.clientSecret'),
  ])
  const further = { audience: env('AUDIENCE'), parameters: { tenant: 'us', resource: env('RESOURCE') } }
  t.same(faults({ auth: { oauth2: { ...oauth2, ...further } } }, { CATS_KEY: 'k', RESOURCE: ' ' }), [
    missing('auth.oauth2.audience', 'AUDIENCE'),
    missing('auth.oauth2.parameters.resource', 'RESOURCE'),
  ])
  t.same(faults({ auth: { oauth2: { ...oauth2, tokenUrl: env('URL') } } }, { URL: 'auth.example', CATS_KEY: 'k' }), [
    'URL: is not the URL of a token endpoint: write for example https://auth.example.com/oauth/token',
  ])
  t.same(faults({ proxy: env('PROXY') }), [missing('proxy', 'PROXY')])
  t.same(faults({ proxy: env('PROXY') }, { PROXY: 'https://u:SECRET@proxy' }), [
    'PROXY: is not the URL of a proxy: write http://host:port',
  ])
  t.same(faults({ proxy: true }, { HTTPS_PROXY: 'SECRET' }), [
    'HTTPS_PROXY: is not the URL of a proxy: write http://host:port',
  ])
  t.same(faults({ tls: { ca: env('CA'), cert: selfSigned.cert, key: env('KEY') } }), [
    missing('tls.ca', 'CA'),
    missing('tls.key', 'KEY'),
  ])
  t.same(faults({ tls: { ca: env('CA') } }, { CA: '/nowhere/ca.pem' }), [
    "CA: must be PEM or the path of a readable file: upstream 'cats' needs it for tls.ca",
  ])
  t.match(
    faults({ tls: { ca: env('CA') } }, { CA: '-----BEGIN CERTIFICATE-----\nSECRET\n-----END CERTIFICATE-----' }),
    [/^upstream 'cats': its option tls is invalid: (?!.*SECRET)/],
  )
})

test('certificates come as PEM or as the path of a file', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-access-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key.pem')
  writeFileSync(file, selfSigned.key)
  for (const key of [file, selfSigned.key]) {
    const { secureContext, faults } = read(
      { tls: { ca: selfSigned.cert, cert: env('CERT'), key: env('KEY') } },
      { CERT: selfSigned.cert, KEY: key },
    )
    t.same(faults, [])
    t.ok(secureContext)
  }
})

test('the environment says which proxy is for what, lower case first', async t => {
  const way = (environment: Record<string, string>, to = 'https://cats.example') =>
    proxyFor(read({ proxy: true }, environment).proxy, new URL(to))?.url.origin
  const both = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' }
  t.equal(way(both), 'http://secure:2')
  t.equal(way(both, 'http://cats.example'), 'http://plain:1')
  t.equal(way({ ...both, https_proxy: 'http://lower:3', http_proxy: 'http://lower:4' }), 'http://lower:3')
  t.equal(way({ ...both, https_proxy: '', http_proxy: 'http://lower:4' }, 'http://cats.example'), 'http://lower:4')
  t.equal(way({ HTTP_PROXY: 'http://plain:1' }), undefined)
  t.equal(way({}), undefined)
  for (const to of ['http://cats.example', 'https://cats.example']) {
    t.equal(proxyFor(read({ proxy: 'http://mine:5' }, both).proxy, new URL(to))?.url.origin, 'http://mine:5')
    t.equal(
      proxyFor(read({ proxy: env('MINE') }, { ...both, MINE: 'http://named:6' }).proxy, new URL(to))?.url.origin,
      'http://named:6',
    )
  }
  t.equal(proxyFor(undefined, new URL('https://cats.example')), undefined)
})

test("a proxy's credentials go to the proxy and are secret", async t => {
  const { proxy, secrets } = read({ proxy: env('PROXY') }, { PROXY: 'http://us:p%40ss@proxy:3128' })
  t.equal(proxy?.['https:']?.authorization, `Basic ${Buffer.from('us:p@ss').toString('base64')}`)
  t.same(secrets, ['p%40ss', 'p@ss', Buffer.from('us:p@ss').toString('base64')])
  t.equal(
    read({ proxy: env('PROXY') }, { PROXY: 'http://us@proxy:3128' }).proxy?.['https:']?.authorization,
    `Basic ${Buffer.from('us:').toString('base64')}`,
  )
  t.equal(read({ proxy: 'http://proxy:3128' }).proxy?.['https:']?.authorization, undefined)
  t.doesNotThrow(() => read({ proxy: env('PROXY') }, { PROXY: 'http://us:100%@proxy:3128' }), 'whatever is in it')
})

test('a host that NO_PROXY names is called without the proxy, and no_proxy takes precedence', async t => {
  const isStraight = (environment: Record<string, string>, to: string) =>
    proxyFor(read({ proxy: 'http://proxy:3128' }, environment).proxy, new URL(to)) === undefined
  t.ok(isStraight({ NO_PROXY: 'cats.example' }, 'https://cats.example'))
  t.ok(isStraight({ no_proxy: 'cats.example', NO_PROXY: 'dogs.example' }, 'https://cats.example'))
  t.notOk(isStraight({ no_proxy: 'cats.example', NO_PROXY: 'dogs.example' }, 'https://dogs.example'))
  t.notOk(isStraight({}, 'https://cats.example'))
})
