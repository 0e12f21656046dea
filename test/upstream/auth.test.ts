import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { json, rawUpstream, type RawUpstream } from '../helpers/raw-upstream.ts'

const operations = {
  ask: operation({ path: '/ask', output: z.unknown() }),
  find: operation({ path: '/find', query: z.object({ q: z.string() }), output: z.unknown() }),
  tell: operation({
    method: 'POST',
    path: '/tell',
    body: z.unknown(),
    output: z.unknown(),
    idempotencyKey: () => 'once',
  }),
}
const key = env('CATS_KEY')
const environment = { CATS_KEY: 's3cret/&=' }

async function arrange(t: Test, options: Partial<UpstreamOptions>, variables: Record<string, string> = environment) {
  const raw = await rawUpstream(t, json('well'))
  const runtime = createRuntime({ environment: variables })
  t.teardown(() => runtime.close())
  return { raw, runtime, cats: defineUpstream('cats', { origin: raw.origin, ...options }, operations) }
}

const last = ({ requests }: RawUpstream) => requests.at(-1) as NonNullable<RawUpstream['requests'][number]>
const headerOf = (raw: RawUpstream, name: string) =>
  last(raw)
    .headers.filter(([each]) => each === name)
    .map(([, value]) => value)

test('a bearer token goes out with every call', async t => {
  const { raw, runtime, cats } = await arrange(t, { auth: { bearer: key } })
  await runtime.send(testRun().ask(cats.ask()))
  t.same(headerOf(raw, 'authorization'), ['Bearer s3cret/&='])
  await runtime.send(testRun().ask(cats.tell({ body: 1 })))
  t.same(headerOf(raw, 'authorization'), ['Bearer s3cret/&='])
  t.same(headerOf(raw, 'idempotency-key'), ['once'])
})

test('a key is sent once in the declared header, also if the service sets that header itself', async t => {
  for (const header of ['X-Api-Key', 'User-Agent']) {
    const { raw, runtime, cats } = await arrange(t, { auth: { header, secret: key } })
    await runtime.send(testRun().ask(cats.ask()))
    t.same(headerOf(raw, header.toLowerCase()), ['s3cret/&='])
  }
})

test('a key goes out in the query, encoded, behind what is there', async t => {
  const { raw, runtime, cats } = await arrange(t, { auth: { query: 'api_key', secret: key } })
  await runtime.send(testRun().ask(cats.ask()))
  t.equal(last(raw).path, '/ask?api_key=s3cret%2F%26%3D')
  const call = cats.find({ q: 'a b' })
  await runtime.send(testRun().ask(call))
  t.equal(last(raw).path, '/find?q=a%20b&api_key=s3cret%2F%26%3D')
  t.equal(call.path, '/find?q=a%20b', 'the call itself holds no secret')
})

test('without its variable a call is a bug of the setup that names the variable and the fix', async t => {
  const { raw, runtime, cats } = await arrange(t, { auth: { bearer: key } }, { CATS_KEY: '' })
  const run = testRun()
  const error = await failure(runtime.send(run.ask(cats.ask())))
  t.type(error, TypeError)
  t.match(error, {
    message:
      "CATS_KEY is not set, and upstream 'cats' needs it for auth: pass createRuntime an environment that " +
      'contains it, for example process.env',
  })
  t.equal(raw.connections, 0)
  t.equal(run.abort.size, 0)
})

test('an upstream that is off needs no secret', async t => {
  const { cats } = await arrange(t, { auth: { bearer: key } })
  const runtime = createRuntime({ overrides: { cats: { off: true } } })
  t.match(await failure(runtime.send(testRun().ask(cats.ask()))), { code: 'UPSTREAM_OFF' })
  await runtime.close()
})

const anyQuery = z.record(z.string(), z.union([z.string(), z.array(z.string())]))
const schemas = {
  loose: z.looseObject({ q: z.string().optional() }),
  catchall: z.object({ q: z.string().optional() }).catchall(z.string()),
  record: anyQuery,
  transformed: z.object({ name: z.string(), value: z.string() }).transform(({ name, value }) => ({ [name]: value })),
  piped: anyQuery.pipe(z.record(z.string(), z.any())),
  preprocessed: z.preprocess(given => given, anyQuery),
  any: z.any(),
}

/** An upstream whose operations take any field, or one that the caller names, in their query. */
async function open(t: Test, auth: NonNullable<UpstreamOptions['auth']>) {
  const raw = await rawUpstream(t, json('well'))
  const runtime = createRuntime({ environment })
  t.teardown(() => runtime.close())
  const ops = Object.fromEntries(
    Object.entries(schemas).map(([name, query]) => [name, operation({ path: '/ask', query, output: z.unknown() })]),
  )
  const cats = defineUpstream('cats', { origin: raw.origin, auth }, ops) as Record<
    string,
    (input: object) => Call<unknown>
  >
  const inputOf = (schema: string, name: string) =>
    schema === 'transformed' ? { name, value: 'theirs' } : { [name]: 'theirs' }
  return {
    raw,
    runtime,
    ask: (schema: string, name: string) => (cats[schema] as (typeof cats)[string])(inputOf(schema, name)),
  }
}

test("a caller's field never stands before the secret's, whatever the query schema lets through", async t => {
  const { raw, ask } = await open(t, { query: 'key', secret: key })
  for (const schema of Object.keys(schemas)) {
    for (const name of ['key', 'KEY', 'k%65y', 'key[]', 'key[0]', 'key.a', ' key', 'a&key']) {
      t.throws(
        () => ask(schema, name),
        { name: 'UpstreamError', code: 'CALL_INPUT_INVALID', statusCode: 400 },
        `${schema}, ${name}`,
      )
    }
  }
  t.equal(raw.connections, 0)
})

test('other fields go out before the secret, and any field where the secret is a header', async t => {
  const { raw, runtime, ask } = await open(t, { query: 'key', secret: key })
  for (const schema of Object.keys(schemas)) {
    await runtime.send(testRun().ask(ask(schema, 'keyword')))
    t.equal(last(raw).path, '/ask?keyword=theirs&key=s3cret%2F%26%3D', schema)
  }
  const other = await open(t, { header: 'key', secret: key })
  await other.runtime.send(testRun().ask(other.ask('record', 'key')))
  t.equal(last(other.raw).path, '/ask?key=theirs')
  t.same(headerOf(other.raw, 'key'), ['s3cret/&='])
})

test("the refusal is the caller's 400 where the field came from the caller, and a 502 where it came from an upstream", async t => {
  const { raw, runtime, ask } = await open(t, { query: 'key', secret: key })
  const direct = aggregate('direct', { url: '/direct', query: z.looseObject({}) })
    .required('it', ({ query }) => ask('record', Object.keys(query)[0] ?? ''))
    .reply(z.unknown(), ({ it }) => it)
  t.match(await failure(fanOut(direct, { query: { Key: 'theirs' } }, { runtime })), {
    code: 'CALL_INPUT_INVALID',
    statusCode: 400,
    detail: /field that belongs to the upstream's auth/,
  })
  t.equal(raw.connections, 0, 'nothing was sent')
  const { raw: first, runtime: other, ask: askFirst } = await open(t, { bearer: key })
  const later = aggregate('later', { url: '/later' })
    .required('name', () => askFirst('record', 'q'))
    .required('it', () => ask('record', 'key'), { needs: ['name'] })
    .reply(z.unknown(), ({ it }) => it)
  t.match(await failure(fanOut(later, {}, { runtime: other })), {
    code: 'UPSTREAM_CALL_INPUT_INVALID',
    statusCode: 502,
  })
  t.equal(first.requests.length, 1)
})

const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/)
const names = ['authorization', 'cookie', 'x-tenant', 'x-api-key', 'accept', 'user-agent', 'idempotency-key']

test('the credential that goes to the upstream is the one of the auth option, whatever headers and query a caller sends', async t => {
  const auths: readonly NonNullable<UpstreamOptions['auth']>[] = [
    { bearer: key },
    { header: 'x-api-key', secret: key },
    { query: 'key', secret: key },
  ]
  const raw = await rawUpstream(t, json('well'))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...auths),
      fc.subarray(names),
      fc.dictionary(fc.constantFrom(...names), value),
      async (auth, forwarded, headers) => {
        const own = 'bearer' in auth ? 'authorization' : 'header' in auth ? auth.header : 'none'
        const forward = forwarded.filter(name => name !== own)
        const runtime = createRuntime({ environment })
        const { ask } = defineUpstream('cats', { origin: raw.origin, forwardHeaders: forward, auth }, operations)
        await runtime.send(testRun({ headers }).ask(ask()))
        await runtime.close()
        const sent = headerOf(raw, own)
        if (
          own === 'none'
            ? last(raw).path !== '/ask?key=s3cret%2F%26%3D'
            : sent.length !== 1 || !sent[0]?.endsWith('s3cret/&=')
        )
          throw new Error(`${own}: ${sent.join()}`)
        for (const name of names)
          if (
            name !== own &&
            name !== 'accept' &&
            name !== 'user-agent' &&
            !forward.includes(name) &&
            headerOf(raw, name).length > 0
          )
            throw new Error(`${name} left`)
      },
    ),
    { numRuns: 40 },
  )
  t.pass('held for 40 callers')
})
