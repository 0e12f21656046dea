import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import swagger from '@fastify/swagger'
import fastify from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { aggregates } from '../../src/routes/index.ts'
import { headwaters } from '../../src/index.ts'
import { everySchema } from '../openapi/helpers/every-schema.ts'
import { compiledProgram, run } from '../openapi/helpers/client.ts'
import { lint } from '../openapi/helpers/lint.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { Override } from '../../src/upstream/runtime.ts'

const versions = ['3.0.3', '3.1.0']

/** Aggregates with statuses and problems of their own. */
const answering = [
  aggregate('removed', { url: '/removed', method: 'DELETE' }).reply(z.null(), () => null, { status: 204 }),
  aggregate('made', {
    url: '/made',
    method: 'POST',
    sources: 'states',
    problems: {
      404: 'There is no such item.',
      422: z.object({ code: z.literal('ODD') }).describe('The number is odd.'),
    },
  })
    .required('one', () => 1)
    .reply(z.string(), () => 'a', { status: [201, 200] }),
  aggregate('hiding', { url: '/hiding', sources: 'none' })
    .required('one', () => 1)
    .reply(z.string(), () => 'a'),
]

/** An app with `@fastify/swagger` and aggregates. */
async function documentedApp(
  t: Test,
  openapi: string,
  served: readonly AnyAggregate[],
  prefixes: readonly string[],
  overrides: Readonly<Record<string, Override>> = {},
) {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(swagger, {
    openapi: {
      openapi,
      info: { title: 'An app', version: '1.0.0', license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT' } },
      servers: [{ url: '/' }],
      security: [],
    },
  })
  for (const prefix of prefixes) await app.register(headwaters, { aggregates: served, prefix, overrides })
  await app.ready()
  return app
}

for (const openapi of versions) {
  test(`a public linter finds no problem in the app's document in OpenAPI ${openapi}`, async t => {
    const app = await documentedApp(t, openapi, [...aggregates, ...everySchema, ...answering], ['/api', '/again'])
    const file = join(t.testdir(), 'document.json')
    writeFileSync(file, JSON.stringify(app.swagger()))
    const { problems } = await lint(t, file)
    t.same(
      problems.map(({ ruleId, message, location }) => `${ruleId} ${message} ${location[0]?.pointer}`),
      [],
    )

    const { paths = {} } = app.swagger() as {
      paths?: Record<string, Record<string, { requestBody?: object; responses?: object } | undefined>>
    }
    t.match(paths['/api/removed']?.['delete']?.responses, { 204: { description: 'The reply', content: undefined } })
    t.match(paths['/api/made']?.['post']?.responses, {
      200: {
        content: { 'application/json': { schema: { properties: { sources: { properties: { one: Object } } } } } },
      },
      201: {
        content: { 'application/json': { schema: { properties: { sources: { properties: { one: Object } } } } } },
      },
      404: { description: 'There is no such item.' },
      422: {
        description: 'The number is odd.',
        content: { 'application/problem+json': { schema: { allOf: [{}, { properties: { code: Object } }] } } },
      },
    })
    t.notMatch(JSON.stringify(paths['/api/hiding']), /"sources"/)
    const body = paths['/api/sent']?.post?.requestBody as {
      readonly content: Record<string, { schema: Record<string, unknown> }>
    }
    Object.assign(body.content['application/json']?.schema ?? {}, { exclusiveMinimum: 'many' })
    writeFileSync(file, JSON.stringify(app.swagger()))
    t.match(await lint(t, file), { totals: { errors: 1 }, problems: [{ ruleId: 'struct' }] }, 'and would find one')
  })
}

const item = (type: string) => ({ type })

/** What the app's document says of the schemas of one body, where the versions differ or 3.0 lacks the keywords. */
const expected: Readonly<Record<string, object | readonly [in30: object, in31: object]>> = {
  at: { type: 'string', format: 'date-time' },
  above: { type: 'number', minimum: 0, maximum: 1, allOf: [{ not: { enum: [0, 1] } }] },
  whole: { type: 'integer', minimum: 1, maximum: 9 },
  big: { type: 'integer', format: 'int64', minimum: 1, maximum: 9_007_199_254_740_992 },
  pair: { type: 'array', items: { anyOf: [item('string'), item('number')] }, minItems: 2, maxItems: 2 },
  rest: { type: 'array', items: { anyOf: [item('string'), item('number')] }, minItems: 1 },
  named: {
    type: 'object',
    properties: { a: item('number'), b: item('number') },
    required: ['a', 'b'],
    additionalProperties: false,
  },
  patterned: { type: 'object', additionalProperties: item('number') },
  loose: { type: 'object', additionalProperties: item('string') },
  bytes: { type: 'string', format: 'base64' },
  strict: { type: 'object', properties: { a: item('string') }, required: ['a'], additionalProperties: false },
  json: {},
  mapped: { type: 'object', additionalProperties: { type: 'string', example: 'a' } },
  constant: { type: 'string', enum: ['a'] },
  none: [{ type: 'object', nullable: true, enum: [null] }, { type: 'null' }],
  nullable: [{ type: 'string', nullable: true }, { type: ['string', 'null'] }],
  choice: [
    { type: 'string', nullable: true, enum: ['a', 'b', null] },
    { type: ['string', 'null'], enum: ['a', 'b', null] },
  ],
  listed: [
    { type: 'array', items: { type: 'string', example: 'a' } },
    { type: 'array', items: { type: 'string', examples: ['a'] } },
  ],
}

for (const [index, openapi] of versions.entries()) {
  test(`the app's document in OpenAPI ${openapi} says the same of each schema as the document of the service`, async t => {
    const app = await documentedApp(t, openapi, everySchema, ['/api'])
    const { paths = {} } = app.swagger() as {
      paths?: Record<string, { post?: { requestBody?: object; responses?: object } }>
    }
    const { requestBody, responses } = paths['/api/sent']?.post ?? {}
    const { content } = requestBody as {
      readonly content: Record<string, { readonly schema: { readonly properties: Record<string, object> } }>
    }
    const properties = content['application/json']?.schema.properties ?? {}
    for (const [name, schema] of Object.entries(expected))
      t.same(properties[name], Array.isArray(schema) ? schema[index] : schema, name)
    // Replies may gain fields.
    const reply = JSON.stringify((responses as Record<string, object>)['200'])
    t.equal(reply.split('"additionalProperties":false').length, 2, 'the strict object alone forbids other fields')
  })
}

/** Uses the types of a generated client: a wrong type does not compile. */
const program = `
import { Api } from './client.ts'

const api = new Api({ baseUrl: process.argv[2] })
const { data: { data, complete, sources } } = await api.api.apiCatFacts({ count: 2 })
const facts: readonly string[] = data.facts.map(({ text }) => text)
const whole: boolean = complete
const state: 'ok' | 'stale' | 'skipped' | 'fallback' | 'failed' | 'cancelled' = sources.meow.state
const calls: number | undefined = sources.ninja.calls
// @ts-expect-error There is no such step.
void sources.nothing
const asked = (await api.api.apiAsked('2024-05-01', 1, { sample: 1, one: 'a', list: ['a'] })).data.data
const text: string | null = asked
const list = (await api.api.apiList()).data
const dates: readonly (string | null)[] = list
type Told = Awaited<ReturnType<typeof api.api.apiSent>>['data']['data']
const at = (each: Told): string => each.at
const nan = (each: Told): number | null => each.nan
const holes = (each: Told): readonly (string | null)[] => each.holes
const choice = (each: Told): 'a' | 'b' | null => each.choice
void [at, nan, holes, choice]
const refused = await api.api.apiBreed('dachshund').catch(failure => failure.error)
console.log(JSON.stringify([facts.length, whole, state, calls, text, dates, refused.code]))
`

for (const openapi of versions) {
  test(
    `a client of the app's document in OpenAPI ${openapi} compiles, and has the types of the replies`,
    { timeout: 120_000 },
    async t => {
      const served = [...aggregates, ...everySchema]
      const { origins, close } = await startDemoUpstreams({ medianMs: 0 })
      t.teardown(close)
      const overrides = Object.fromEntries(Object.entries(origins).map(([name, origin]) => [name, { origin }]))
      const app = await documentedApp(t, openapi, served, ['/api'], overrides)
      const compiled = await compiledProgram(t, JSON.stringify(app.swagger()), program)
      const { code, output } = await run(compiled, await app.listen({ host: '127.0.0.1', port: 0 }))
      t.equal(code, 0, output)
      t.same(JSON.parse(output), [4, true, 'ok', 2, null, [], 'REFUSED'])
    },
  )
}
