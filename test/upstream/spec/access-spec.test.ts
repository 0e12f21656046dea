import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation } from '../../../src/upstream/declare.ts'
import { selfSigned } from '../../helpers/self-signed.ts'

/** What the types refuse too, and JavaScript does not. */
const define =
  (options: object, ops = {}) =>
  () =>
    defineUpstream('cats', { origin: 'https://cats.example', ...options }, ops)
const literal = 'sk-LITERAL-SECRET'
const secret = env('CATS_KEY')
const oauth2 = { tokenUrl: 'https://auth.example/token', clientId: 'us', clientSecret: secret }

test('env names a variable and holds nothing else', async t => {
  t.same(JSON.parse(JSON.stringify(secret)), { variable: 'CATS_KEY' })
  t.ok(Object.isFrozen(secret))
  for (const wrong of ['', literal, 'a b', '1A', undefined]) {
    t.throws(() => env(wrong as string), { name: 'TypeError', message: /takes the name of an environment variable/ })
    try {
      env(wrong as string)
    } catch (error) {
      t.notMatch((error as Error).message, literal)
    }
  }
})

test('each kind of credential can be declared', async t => {
  for (const auth of [
    { bearer: secret },
    { header: 'X-Api-Key', secret },
    { query: 'api_key', secret },
    { oauth2 },
    { oauth2: { ...oauth2, scope: 'read write', send: 'body' } },
    { oauth2: { tokenUrl: env('TOKEN_URL'), clientId: env('CLIENT'), clientSecret: secret } },
    {
      oauth2: { ...oauth2, audience: 'https://cats.example', parameters: { resource: 'cats', tenant: env('TENANT') } },
    },
    { oauth2: { ...oauth2, audience: env('AUDIENCE'), parameters: {} } },
  ])
    t.doesNotThrow(define({ auth }), Object.keys(auth).join())
})

test('a secret that is written down is refused, and not said again', async t => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ auth: { bearer: literal } }, /auth\.bearer must come from the environment: write env\('NAME'\)/],
    [{ auth: { header: 'x-api-key', secret: literal } }, /auth\.secret must come from the environment/],
    [{ auth: { header: 'x-api-key' } }, /auth\.secret must come from the environment/],
    [{ auth: { query: 'key', secret: literal } }, /auth\.secret must come from the environment/],
    [
      { auth: { oauth2: { ...oauth2, clientSecret: literal } } },
      /auth\.oauth2\.clientSecret must come from the environment/,
    ],
    [
      { auth: { oauth2: { ...oauth2, tokenUrl: `https://us:${literal}@auth.example/token` } } },
      /auth\.oauth2\.tokenUrl is not the URL of a token endpoint/,
    ],
    [{ tls: { cert: selfSigned.cert, key: literal } }, /tls\.key must come from the environment/],
    [{ tls: { ca: literal } }, /tls\.ca must be a certificate as PEM/],
    [{ proxy: `http://us:${literal}@proxy.example:3128` }, /proxy contains credentials: write proxy: env\('NAME'\)/],
    [{ proxy: `socks5://${literal}` }, /proxy is not the URL of a proxy/],
  ]
  for (const [options, message] of wrong) {
    try {
      define(options)()
      t.fail(`${String(message)} was taken`)
    } catch (error) {
      t.type(error, TypeError)
      t.match((error as Error).message, message)
      t.match((error as Error).message, /^upstream 'cats': /)
      t.notMatch((error as Error).message, literal)
    }
  }
})

test('an invalid option of access is refused with the fix', async t => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ auth: { token: secret } }, /unknown option 'auth\.token': use bearer, header, query, secret, oauth2/],
    [
      { auth: { oauth2: { ...oauth2, resource: 'x' } } },
      /unknown option 'auth\.oauth2\.resource': use tokenUrl, .*, parameters/,
    ],
    [{ tls: { rejectUnauthorized: false } }, /unknown option 'tls\.rejectUnauthorized': use ca, cert, key, servername/],
    [{ auth: {} }, /auth must have exactly one of bearer, header, query and oauth2/],
    [{ auth: { bearer: secret, query: 'key', secret } }, /auth must have exactly one of/],
    [{ auth: { header: 'x key', secret } }, /'x key' is not the name of a header/],
    [{ auth: { header: 'Host', secret } }, /the header 'Host' belongs to one connection/],
    [{ auth: { header: 'Idempotency-Key', secret } }, /auth cannot use the header 'Idempotency-Key'/],
    [{ auth: { header: 'If-None-Match', secret } }, /auth cannot use the header 'If-None-Match'/],
    [{ auth: { header: 'Proxy-Token', secret } }, /the header 'Proxy-Token' belongs to one connection/],
    [{ auth: { query: 'a&b', secret } }, /auth\.query must be a name of letters, digits and \. _ ~ -, got 'a&b'/],
    [
      { auth: { bearer: secret }, forwardHeaders: ['Authorization'] },
      /auth sends the header 'authorization': remove it from headers and forwardHeaders/,
    ],
    [{ auth: { oauth2 }, headers: { Authorization: 'x' } }, /auth sends the header 'authorization'/],
    [
      { auth: { header: 'x-api-key', secret }, forwardHeaders: ['x-tenant', 'X-API-Key'] },
      /auth sends the header 'x-api-key'/,
    ],
    [{ auth: { oauth2: { ...oauth2, clientId: '' } } }, /auth\.oauth2\.clientId must be a string/],
    [{ auth: { oauth2: { ...oauth2, clientId: 7 } } }, /auth\.oauth2\.clientId must be a string/],
    [{ auth: { oauth2: { ...oauth2, scope: ['a'] } } }, /auth\.oauth2\.scope must be a string/],
    [{ auth: { oauth2: { ...oauth2, send: 'query' } } }, /auth\.oauth2\.send must be 'header' or 'body'/],
    [
      { auth: { oauth2: { ...oauth2, tokenUrl: 'ftp://auth.example' } } },
      /auth\.oauth2\.tokenUrl is not the URL of a token endpoint/,
    ],
    [{ auth: { oauth2: { ...oauth2, tokenUrl: 'https://auth.example/#a' } } }, /auth\.oauth2\.tokenUrl is not/],
    [
      { publicOnly: true, auth: { oauth2: { ...oauth2, tokenUrl: 'http://10.0.0.1/token' } } },
      /its auth\.oauth2\.tokenUrl is at 10\.0\.0\.1, which is not public/,
    ],
    [
      { publicOnly: true, proxy: true },
      /publicOnly has no effect with proxy, because the proxy connects to the address/,
    ],
    [{ tls: { cert: selfSigned.cert } }, /tls\.cert and tls\.key must be set together: set both or none/],
    [{ tls: { key: secret } }, /tls\.cert and tls\.key must be set together: set both or none/],
    [{ proxy: 'http://proxy.example:3128/path' }, /proxy is not the URL of a proxy: write http:\/\/host:port/],
    [{ proxy: '' }, /proxy is not the URL/],
  ]
  for (const [options, message] of wrong) t.throws(define(options), { name: 'TypeError', message }, String(message))
})

test("an operation neither asks by the field of its upstream's secret nor reads cookies", async t => {
  const ask = (query: z.ZodType) => ({ ask: operation({ path: '/', query, output: z.unknown() }) })
  t.throws(
    define({ auth: { query: 'key', secret } }, ask(z.object({ key: z.string() }))),
    /cats\.ask: the query field 'key' is used by the upstream's auth/,
  )
  for (const field of ['Key', 'key[]', 'key.a', '%6bey']) {
    t.throws(define({ auth: { query: 'key', secret } }, ask(z.object({ [field]: z.string() }))), {
      message: `cats.ask: the query field '${field}', which the upstream may read as 'key', is used by the upstream's auth: remove it`,
    })
  }
  t.doesNotThrow(define({ auth: { query: 'key', secret } }, ask(z.object({ q: z.string(), keys: z.string() }))))
  t.doesNotThrow(define({ auth: { query: 'key', secret } }, ask(z.record(z.string(), z.string()))))
  t.throws(
    define(
      {},
      {
        ask: operation({
          path: '/',
          output: z.unknown(),
          responseHeaders: z.object({ 'set-cookie': z.array(z.string()) }),
        }),
      },
    ),
    /cats\.ask: cookies are not part of a response value/,
  )
})
