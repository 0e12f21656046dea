import { test } from 'tap'
import { z } from 'zod'
import { explanationText } from '../../src/explain/explanation-text.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { callOf, explained } from './helpers/explained.ts'

const secret = 'S3cr3t-Value/with+odd=signs'
/** Spellings of the secret in URLs, in JSON and in headers. */
const spellings = [
  secret,
  encodeURIComponent(secret),
  encodeURIComponent(secret).toLowerCase(),
  JSON.stringify(secret).slice(1, -1),
  Buffer.from(secret).toString('base64'),
]

/** Returns all texts of an explanation. */
async function textOf(each: AnyAggregate, input = {}): Promise<string> {
  const explanation = await explained(each, input, { hide: new Redaction([secret]).hide, showsMessages: true })
  return JSON.stringify(explanation) + explanationText(explanation)
}

const auths: readonly UpstreamOptions['auth'][] = [
  { bearer: env('SECRET') },
  { header: 'x-api-key', secret: env('SECRET') },
  { query: 'api_key', secret: env('SECRET') },
  { oauth2: { tokenUrl: 'https://login.example/token', clientId: 'id', clientSecret: env('SECRET') } },
]

test('each form of auth shows the name of its header or field, and no secret', async t => {
  const shown = []
  for (const auth of auths) {
    const api = defineUpstream(
      'api',
      { origin: 'https://a.example', ...(auth !== undefined && { auth }) },
      {
        get: operation({ path: '/', query: z.object({ a: z.string() }), output: z.unknown() }),
      },
    )
    const each = aggregate('each', { url: '/each' })
      .required('it', () => api.get({ a: 'b' }))
      .reply(z.unknown(), () => 1)
    const { path, headers } = callOf(await explained(each), 'it')
    shown.push([path, ...headers.filter(({ from }) => from === 'auth').map(({ name }) => name)])
  }
  t.same(shown, [
    ['/?a=b', 'authorization'],
    ['/?a=b', 'x-api-key'],
    ['/?a=b&api_key=REDACTED'],
    ['/?a=b', 'authorization'],
  ])
})

const names = [
  'token',
  'apiKey',
  'api_key',
  'access_token',
  'password',
  'client_secret',
  'sig',
  'sessionId',
  'otp',
  'userPass',
]

test('the value of a query field of a call that is named as a secret is redacted', async t => {
  const shape = Object.fromEntries(names.map(name => [name, z.string()]))
  const api = defineUpstream(
    'api',
    { origin: 'https://a.example' },
    {
      get: operation({ path: '/', query: z.object(shape), output: z.unknown() }),
    },
  )
  const each = aggregate('each', { url: '/each' })
    .required('it', () => api.get(Object.fromEntries(names.map(name => [name, 'plain']))))
    .reply(z.unknown(), () => 1)
  t.equal(callOf(await explained(each), 'it').path, `/?${names.map(name => `${name}=REDACTED`).join('&')}`)
})

test('the value of a field of the input that is named as a secret is a template wherever it goes', async t => {
  const api = defineUpstream(
    'api',
    { origin: 'https://a.example' },
    {
      get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
    },
  )
  const each = aggregate('each', {
    url: '/each',
    query: z.object({ token: z.string().min(2) }),
    headers: z.object({ 'x-api-key': z.string() }),
  }).required('it', ({ query, headers }) => api.get({ id: `${query.token}.${headers['x-api-key']}` }))
  const whole = each.reply(z.unknown(), () => 1)
  const input = { query: { token: secret }, headers: { 'x-api-key': secret } }
  t.equal(callOf(await explained(whole, input), 'it').path, '/{query.token}.{headers.x-api-key}')
  await t.rejects(explained(whole, { ...input, query: { token: 'a' } }), { code: 'INPUT_INVALID' }, 'it is read first')
})

test('the value of a path parameter that is named as a secret is its name, and an identity is shown', async t => {
  const Params = z.object({ token: z.string(), user: z.string(), rest: z.string() })
  const api = defineUpstream(
    'api',
    { origin: 'https://a.example/v1' },
    {
      get: operation({
        path: '/keys/{token}/users/{user}',
        params: Params.omit({ rest: true }),
        query: z.object({ account: z.string().optional() }),
        output: z.unknown(),
      }),
      rest: operation({ path: '/{user}/{token}/{rest+}', params: Params, output: z.unknown() }),
    },
  )
  const each = aggregate('each', { url: '/each' })
    .required('found', () => api.get({ token: 'plain', user: 'x', account: 'b' }))
    .required('bare', ({ found }) => api.get({ token: 'plain', user: (found as { readonly id: string }).id }), {
      needs: ['found'],
    })
    .required('rest', () => api.rest({ user: 'x', token: 'plain', rest: 'plain/plain' }))
    .reply(z.unknown(), () => 1)
  const explanation = await explained(each)
  t.equal(callOf(explanation, 'found').path, '/v1/keys/{token}/users/x?account=b')
  t.equal(callOf(explanation, 'bare').path, '/v1/keys/{token}/users/{found.id}')
  t.notMatch(callOf(explanation, 'rest').path, 'plain', 'a parameter of several segments')
})

test('no secret of the environment is in an explanation, in any place and spelling', async t => {
  const Headers = z.object({ 'x-note': z.string() })
  const api = defineUpstream(
    'api',
    { origin: 'https://a.example', forwardHeaders: ['x-forwarded-note'] },
    {
      get: operation({
        method: 'POST',
        path: '/{id}',
        params: z.object({ id: z.string() }),
        query: z.object({ q: z.string(), list: z.array(z.string()) }),
        headers: Headers,
        body: z.unknown(),
        output: z.unknown(),
      }),
    },
  )
  const each = aggregate('each', { url: '/each', query: z.object({ note: z.string() }), headers: Headers })
    .required('it', ({ query, headers }) =>
      api.get({
        id: query.note,
        q: `a${query.note}b`,
        list: [query.note],
        headers: { 'x-note': headers['x-note'] },
        body: { deep: [query.note] },
      }),
    )
    .required('failed', ({ query }): number => {
      throw new Error(`cannot read ${query.note}`)
    })
    .reply(z.unknown(), () => 1)
  const text = await textOf(each, {
    query: { note: secret },
    headers: { 'x-note': secret, 'x-forwarded-note': secret },
  })
  for (const spelling of spellings) t.notMatch(text, spelling, spelling)
  t.match(text, 'cannot read [redacted]')
})
