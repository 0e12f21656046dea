import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../../src/upstream/declare.ts'
import { createRuntime } from '../../../../src/upstream/runtime.ts'
import type { CustomLayer } from '../../../../src/upstream/spec/layer-types.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { json, rawUpstream } from '../../../helpers/raw-upstream.ts'

/** A layer that gives headers to each call or attempt. */
const giving =
  (headers: () => Record<string, string>): CustomLayer =>
  next =>
  call =>
    next(call.with({ headers: headers() }))

/** Asks twice, with an upstream that answers with these headers, and returns how the second answer came. */
async function second(
  t: Test,
  answer: Readonly<Record<string, string>>,
  options: Partial<UpstreamOptions> = {},
  headers: Record<string, string> = {},
) {
  const raw = await rawUpstream(t, (socket, { path }) =>
    socket.write(
      path === '/token' ? json({ access_token: 'token', token_type: 'Bearer' }) : json({ name: 'Tom' }, 200, answer),
    ),
  )
  const runtime = createRuntime({ environment: { TOKEN: 'one', ID: 'id' } })
  t.teardown(() => runtime.close())
  const auth =
    options.auth === undefined || !('oauth2' in options.auth)
      ? options
      : { ...options, auth: { oauth2: { ...options.auth.oauth2, tokenUrl: `${raw.origin}/token` } } }
  const { cat, fact } = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, ...auth },
    {
      cat: operation({ path: '/cat', output: z.unknown(), cache: true }),
      fact: operation({ path: '/fact', output: z.unknown(), cache: { ttl: 60_000 } }),
    },
  )
  const ask = async (call: typeof cat) => {
    await runtime.send(testRun({ headers }).ask(call()))
    return (await runtime.send(testRun({ headers }).ask(call()))).cached?.cache
  }
  return { cat: await ask(cat), fact: await ask(fact) }
}

const minute = { 'cache-control': 'max-age=60' }
const authorization = () => ({ authorization: 'Bearer secret' })
const ways: Readonly<Record<string, readonly [Partial<UpstreamOptions>, Record<string, string>?]>> = {
  'a layer at the attempt': [{ layers: { attempt: [giving(authorization)] } }],
  'a layer at the attempt, in another case': [{ layers: { attempt: [giving(() => ({ AUTHORIZATION: 'x' }))] } }],
  'a layer at the call': [{ layers: { call: [giving(authorization)] } }],
  'a header of the declaration': [{ headers: { Authorization: 'x' } }],
  'a forwarded header': [{ forwardHeaders: ['authorization'] }, { authorization: 'x' }],
  'a bearer token': [{ auth: { bearer: env('TOKEN') } }],
  'a secret in the header': [{ auth: { header: 'Authorization', secret: env('TOKEN') } }],
  'a token of a token endpoint': [
    { auth: { oauth2: { tokenUrl: 'http://127.0.0.1:9', clientId: env('ID'), clientSecret: env('TOKEN') } } },
  ],
}

test('an answer to Authorization is kept only where it says so, however the header came to the request', async t => {
  for (const [way, [options, headers]] of Object.entries(ways)) {
    t.match(await second(t, minute, options, headers), { cat: 'miss', fact: 'hit' }, way)
    for (const allowing of ['public', 'must-revalidate', 's-maxage=60'])
      t.match(
        await second(t, { 'cache-control': `max-age=60, ${allowing}` }, options, headers),
        { cat: 'hit' },
        `${way}: ${allowing}`,
      )
    t.match(
      await second(t, { 'cache-control': 'max-age=60, private' }, options, headers),
      { cat: 'miss', fact: 'miss' },
      `${way}: private`,
    )
  }
})

test('an inbound Authorization that does not leave does not count', async t => {
  t.match(await second(t, minute, {}, authorization()), { cat: 'hit' })
})

test('an answer that varies by a header that a layer gave to the attempt is not kept', async t => {
  const layers = { attempt: [giving(() => ({ 'x-nonce': '1', cookie: 'a=b' }))] }
  for (const [vary, expected] of [
    ['x-nonce', 'miss'],
    ['X-Nonce', 'miss'],
    ['accept, , X-NONCE', 'miss'],
    ['cookie', 'miss'],
    ['accept', 'hit'],
    ['x-other', 'hit'],
    ['', 'hit'],
  ] as const)
    t.match(await second(t, { ...minute, vary }, { layers }), { cat: expected, fact: expected }, vary)
})

test('an answer may vary by a header that a layer gave to the call, since it is in the key', async t => {
  const layers = { call: [giving(() => ({ 'x-tenant': 'a' }))] }
  t.match(await second(t, { ...minute, vary: 'x-tenant' }, { layers }), { cat: 'hit' })
  const both = {
    call: [giving(() => ({ 'x-tenant': 'a' }))],
    attempt: [giving(() => ({ 'x-tenant': 'b' }))],
  }
  t.match(
    await second(t, { ...minute, vary: 'x-tenant' }, { layers: both }),
    { cat: 'miss' },
    'the value on the wire decides',
  )
  const forwarded = { forwardHeaders: ['x-tenant'], layers: { attempt: [giving(() => ({ 'x-tenant': 'b' }))] } }
  t.match(await second(t, { ...minute, vary: 'x-tenant' }, forwarded, { 'x-tenant': 'a' }), { cat: 'miss' })
})

test('an answer to a request with no-store is not kept, however the directive came to the request', async t => {
  const noStore = { 'cache-control': 'no-store' }
  for (const [way, options, headers] of [
    ['declared', { headers: { 'Cache-Control': 'max-age=5, NO-STORE' } }],
    ['forwarded', { forwardHeaders: ['cache-control'] }, noStore],
    ['at the attempt', { layers: { attempt: [giving(() => noStore)] } }],
    ['at the call', { layers: { call: [giving(() => noStore)] } }],
  ] as const)
    t.match(await second(t, minute, options, headers), { cat: 'miss', fact: 'miss' }, way)
  t.match(await second(t, minute, { headers: { 'cache-control': 'max-stale=60' } }), { cat: 'hit' })
})

test('Cookie alone does not keep an answer from being stored: Vary tells whether it depends on it', async t => {
  t.match(await second(t, minute, { layers: { attempt: [giving(() => ({ cookie: 'a=b' }))] } }), { cat: 'hit' })
  t.match(await second(t, minute, { forwardHeaders: ['cookie'] }, { cookie: 'a=b' }), { cat: 'hit' })
})

test('a part of an answer is never kept', async t => {
  const raw = await rawUpstream(t, json({}, 206, { ...minute, 'content-range': 'bytes 0-1/9' }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { part } = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, layers: { attempt: [giving(() => ({ range: 'bytes=0-1' }))] } },
    { part: operation({ path: '/part', output: z.unknown(), cache: { ttl: 60_000, staleIfError: 60_000 } }) },
  )
  for (const _ of [1, 2]) t.match(await failure(runtime.send(testRun().ask(part()))), { upstreamStatus: 206 })
  t.equal(raw.requests.length, 2)
  t.match(runtime.stats()['cats']?.cache, { entries: 0 })
})
