import fastify from 'fastify'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, chain, refuse, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { SourcesLevel } from '../../src/fanout/sources-level.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import type { ProblemBody } from '../helpers/problem.ts'

const Id = z.object({ id: z.string() })

/** Declares two upstreams whose operations answer as the path says: `/500` with that status, `/cut` not at all. */
async function upstreams(t: Parameters<typeof httpUpstream>[0]) {
  const { origin } = await httpUpstream(t, ({ request, response, json }) => {
    const id = request.url?.slice(1) ?? ''
    if (id === 'cut') response.destroy()
    else if (id === 'text') response.writeHead(200, { 'content-type': 'text/plain' }).end('x')
    else json(id, id.length === 3 ? Number(id) : 200)
  })
  const options = { origin, retry: false, attemptTimeout: 2000 } as const
  const operations = {
    zebrafish: operation({ path: '/{id}', params: Id, output: z.string(), cache: { ttl: 60_000 } }),
  }
  return [defineUpstream('quokka', options, operations), defineUpstream('platypus', options, operations)] as const
}

const hidden = /wombat|numbat|axolotl|quokka|platypus|zebrafish/i

test('a reply has the states alone with states, and nothing about its steps with none', async t => {
  const [quokka, platypus] = await upstreams(t)
  const declare = (name: string, envelope: boolean) =>
    aggregate(name, { url: `/${name}`, envelope, cacheControl: 'max-age=1', query: z.object({ id: z.string() }) })
      .required('wombat', () => quokka.zebrafish({ id: 'a' }))
      .optional('Numbat', ({ query }) => platypus.zebrafish(query), { fallback: null })
      .optional('axolotl', ({ query }) => platypus.zebrafish(query), { fallback: null, needs: ['Numbat'] })
      .reply(z.string(), () => 'data')
  const aggregates = [declare('boxed', true), declare('bare', false)]
  const served = (sources: SourcesLevel) => {
    const app = buildApp(aggregates, { sources })
    t.teardown(() => app.close())
    return async (url: string) => {
      const { headers, body } = await app.inject(url)
      return { headers, body, all: JSON.stringify(headers) + body }
    }
  }
  const states = served('states')
  const boxed = await states('/boxed?id=b')
  t.equal(
    boxed.body,
    '{"data":"data","complete":true,"sources":{"wombat":{"state":"ok"},"Numbat":{"state":"ok"},"axolotl":{"state":"ok"}}}',
  )
  t.equal(boxed.headers['server-timing'], 'wombat;desc="ok", Numbat;desc="ok", axolotl;desc="ok"')
  const partial = await states('/boxed?id=500')
  t.same(JSON.parse(partial.body), {
    data: 'data',
    complete: false,
    sources: { wombat: { state: 'ok' }, Numbat: { state: 'fallback' }, axolotl: { state: 'fallback' } },
  })
  const bare = await states('/bare?id=b')
  t.equal(bare.headers['headwaters-sources'], 'wombat=ok, numbat=ok, axolotl=ok')
  t.equal(bare.headers['headwaters-complete'], '?1')
  for (const { all } of [boxed, partial, bare]) t.notMatch(all, /quokka|platypus|cache-status|UPSTREAM/)

  const none = served('none')
  t.equal((await none('/boxed?id=b')).body, '{"data":"data","complete":true}')
  t.equal((await none('/boxed?id=500')).body, '{"data":"data","complete":false}')
  t.match(await none('/bare?id=b'), { body: '"data"', headers: { 'headwaters-complete': '?1' } })
  for (const url of ['/boxed?id=b', '/boxed?id=500', '/bare?id=b', '/bare?id=500']) {
    const { headers, all } = await none(url)
    t.notMatch(all, hidden, url)
    t.notMatch(Object.keys(headers).join(), /server-timing|cache-status|headwaters-sources/, url)
  }
  const full = served('full')
  t.match((await full('/bare?id=b')).headers, { 'cache-status': /detail=wombat/, 'server-timing': /wombat;dur=/ })
})

test('a problem names its step with states, and neither its step nor its upstream with none', async t => {
  const [quokka] = await upstreams(t)
  const failing = aggregate('failing', { url: '/failing/{id}', params: Id })
    .required('wombat', ({ params }) => quokka.zebrafish(params))
    .reply(z.string(), () => 'data')
  const slow = aggregate('slow', { url: '/slow', deadline: 10 })
    .required('wombat', () => new Promise<number>(() => {}))
    .reply(z.null(), () => null)
  const long = aggregate('long', { url: '/long' })
    .each('wombat', () => [quokka.zebrafish({ id: 'a' }), quokka.zebrafish({ id: 'b' })], { maxItems: 1 })
    .reply(z.null(), () => null)
  const lines: { readonly detail?: string; readonly sources?: object }[] = []
  const ask = async (sources: SourcesLevel, url: string) => {
    const app = buildApp([failing, slow, long], {
      sources,
      logger: { level: 'info', stream: { write: (line: string) => void lines.push(JSON.parse(line) as object) } },
    })
    t.teardown(() => app.close())
    const { body } = await app.inject(url)
    const { detail, code, sources: shown } = JSON.parse(body) as ProblemBody
    return [detail, code, shown]
  }
  const failed = { wombat: { state: 'failed' } }
  for (const [url, code, withStates, withNone] of [
    [
      '/failing/500',
      'UPSTREAM_STATUS',
      "Step 'wombat': an upstream answered with an unexpected status.",
      'An upstream answered with an unexpected status.',
    ],
    [
      '/slow',
      'DEADLINE_EXCEEDED',
      "Step 'wombat': the request did not end before its deadline.",
      'The request did not end before its deadline.',
    ],
    [
      '/long',
      'TOO_MANY_ITEMS',
      "Step 'wombat' asks for more calls than its limit.",
      'A step asks for more calls than its limit.',
    ],
  ] as const) {
    t.same(await ask('states', url), [withStates, code, failed], url)
    t.same(await ask('none', url), [withNone, code, undefined], url)
    t.match(
      lines.at(-1),
      { detail: /wombat|slow/, sources: { wombat: { state: 'failed', code } } },
      'the log has everything',
    )
  }
  t.match(await ask('full', '/failing/500'), [
    /^Step 'wombat': quokka answered/,
    'UPSTREAM_STATUS',
    { wombat: { ms: Number } },
  ])
})

test('the option of an aggregate precedes that of the service', async t => {
  const declare = (sources: SourcesLevel | undefined) =>
    aggregate(`of-${sources}`, { url: `/${sources}`, ...(sources !== undefined && { sources }) })
      .required('one', () => 1)
      .reply(z.null(), () => null)
  const app = buildApp([declare('full'), declare('none'), declare(undefined)], { sources: 'states' })
  t.teardown(() => app.close())
  const sourcesOf = async (url: string) => (await app.inject(url)).json<{ sources?: object }>().sources
  t.match(await sourcesOf('/full'), { one: { state: 'ok', ms: Number } })
  t.equal(await sourcesOf('/none'), undefined)
  t.same(await sourcesOf('/undefined'), { one: { state: 'ok' } })
})

test("the app's own error handler gets the problem that the caller may see", async t => {
  const [quokka] = await upstreams(t)
  const failing = aggregate('failing', { url: '/failing' })
    .required('wombat', () => quokka.zebrafish({ id: '500' }))
    .reply(z.null(), () => null)
  const writing = aggregate('writing', { url: '/writing' }).reply(z.any(), () => ({
    toJSON() {
      throw new UpstreamError('UPSTREAM_JSON', 'quokka')
    },
  }))
  const refusing = aggregate('refusing', { url: '/refusing' }).reply(z.null(), () =>
    refuse(401, 'Say who you are.', { headers: { 'www-authenticate': 'Basic' }, retryAfterSeconds: 2 }),
  )
  for (const sources of ['none', 'full'] as const) {
    const app = fastify()
    t.teardown(() => app.close())
    app.setErrorHandler((error: Error, _request, reply) =>
      reply.code(418).send({ mine: JSON.stringify(error) + error.message }),
    )
    await app.register(headwaters, { aggregates: [failing, writing, refusing], sources })
    for (const url of ['/failing', '/writing']) {
      const { statusCode, body } = await app.inject(url)
      t.same([statusCode, hidden.test(body)], [418, sources === 'full'], `${url} ${sources}`)
    }
    t.match((await app.inject('/refusing')).headers, { 'www-authenticate': 'Basic', 'retry-after': '2' })
  }
  t.throws(() => buildApp([], { sources: 'some' as never }), {
    message: "app: sources must be 'full', 'states' or 'none', got 'some'",
  })
  await t.rejects(async () => fastify().register(headwaters, { aggregates: [], sources: 'some' as never }), {
    message: "headwaters: sources must be 'full', 'states' or 'none', got 'some'",
  })
})

/** A part of a builder that steps of any kind can be added with. */
interface Loose {
  required(
    name: string,
    step: (args: { readonly ask: (call: unknown) => Promise<unknown> }) => unknown,
    options: object,
  ): Loose
  optional(name: string, step: () => unknown, options: object): Loose
  each(name: string, step: () => unknown, options: object): Loose
  pages(name: string, first: () => unknown, options: object): Loose
  firstOf(name: string, step: () => unknown, options: object): Loose
  reply(schema: z.ZodType, merge: () => unknown): AnyAggregate
}

test('the bytes of an answer with none contain no name of a step or an upstream', async t => {
  const [quokka, platypus] = await upstreams(t)
  const step = fc.record({
    name: fc.constantFrom('wombat', 'numbat', 'axolotl'),
    kind: fc.constantFrom('required', 'optional', 'each', 'firstOf', 'pages', 'asked', 'chain', 'refused'),
    upstream: fc.constantFrom(quokka, platypus),
    id: fc.constantFrom('a', 'b', '404', '429', '500', '503', 'cut', 'text', '', '..'),
    timeout: fc.constantFrom(1, 5000),
    maxItems: fc.constantFrom(1, 3),
  })
  const steps = fc.uniqueArray(step, { selector: ({ name }) => name, minLength: 1, maxLength: 3 })
  const build = (plan: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[], envelope: boolean) => {
    let builder = aggregate('any', { url: '/any', envelope, sources: 'none', deadline: 5000 }) as unknown as Loose
    for (const { name, kind, upstream, id, timeout, maxItems } of plan) {
      const call = () => upstream.zebrafish({ id })
      if (kind === 'required') builder = builder.required(name, call, { timeout })
      else if (kind === 'optional') builder = builder.optional(name, call, { timeout, fallback: null })
      else if (kind === 'asked')
        builder = builder.required(name, ({ ask }) => ask(call()).then(() => ask(call())), { timeout })
      else if (kind === 'chain')
        builder = builder.each(name, () => [chain(call(), call)], { timeout, minSuccess: 0, fallback: null })
      else if (kind === 'refused')
        builder = builder.required(
          name,
          ({ ask }) => ask(call()).catch(() => refuse(409, 'no', { code: 'NO', title: 'No', type: 'urn:no' })),
          { timeout },
        )
      else if (kind === 'pages')
        builder = builder.pages(name, () => upstream.zebrafish({ id: `${id}` }), {
          next: (_: unknown, index: number) => upstream.zebrafish({ id: index > 1 ? id : `b${index}` }),
          timeout,
          maxPages: maxItems,
          overflow: maxItems === 1 ? 'truncate' : 'error',
          onLoss: timeout === 1 ? 'keep' : 'fail',
        })
      else if (kind === 'each') builder = builder.each(name, () => [call(), call()], { timeout, maxItems })
      else builder = builder.firstOf(name, () => [call(), call()], { timeout })
    }
    return builder.reply(z.null(), () => null)
  }
  const statuses = new Set<number>()
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (plan, envelope) => {
      const app = buildApp([build(plan, envelope)])
      try {
        const { statusCode, headers, body } = await app.inject('/any')
        statuses.add(statusCode)
        return !hidden.test(JSON.stringify(headers) + body)
      } finally {
        await app.close()
      }
    }),
    { numRuns: 60 },
  )
  t.ok(statuses.size > 2, [...statuses].join())
})
