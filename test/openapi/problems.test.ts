import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, refuse, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { SourcesLevel } from '../../src/fanout/sources-level.ts'
import { openapiDocument, type OpenapiOptions } from '../../src/http/openapi/document.ts'
import { openapiYaml } from '../../src/http/openapi/yaml.ts'
import { faultsOf, operations, responseOf, type Document } from './helpers/document.ts'
import { lint } from './helpers/lint.ts'

const documentOf = (aggregates: readonly AnyAggregate[], options: OpenapiOptions = {}) =>
  openapiDocument(aggregates, { health: false, ...options }) as unknown as Document

const operationOf = (document: Document, path: string) => {
  const found = operations(document).find(each => each.path === path)
  if (found === undefined) throw new Error(`the document has no path ${path}`)
  return found.operation
}

const InvalidOrder = z
  .object({ code: z.enum(['ORDER_INVALID', 'SOLD_OUT']), errors: z.array(z.object({ pointer: z.string() })) })
  .describe('The order is invalid.')
  .meta({ id: 'InvalidOrder' })

const order = aggregate('order', {
  url: '/orders/{status}',
  params: z.object({ status: z.coerce.number() }),
  body: z.object({}).optional(),
  problems: {
    400: 'The order cannot be read.',
    404: 'There is no such order.',
    422: InvalidOrder,
    429: z.object({ code: z.literal('ONE_AT_A_TIME') }),
    507: 'There is no space for the order.',
  },
})
  .required('one', () => 1)
  .reply(
    z.object({ id: z.string() }),
    ({ params: { status } }) =>
      status === 201
        ? { id: 'a' }
        : refuse(status, 'No.', {
            code: status === 422 ? 'SOLD_OUT' : 'ONE_AT_A_TIME',
            errors: [{ pointer: '/body', reason: 'is odd' }],
          }),
    { status: [201, 200] },
  )
const removed = aggregate('removed', { url: '/removed', method: 'DELETE' })
  .required('one', () => 1)
  .reply(z.null(), () => null, { status: 204 })

for (const level of ['full', 'states', 'none'] as const) {
  test(`declared problems and statuses match the document with sources: ${level}`, async t => {
    const aggregates = [order, removed]
    const document = documentOf(aggregates, { sources: level })
    const app = buildApp(aggregates, { sources: level })
    t.teardown(() => app.close())
    const operation = operationOf(document, '/orders/{status}')
    for (const [path, status] of [
      ['/orders/201', 201],
      ['/orders/400', 400],
      ['/orders/x', 400],
      ['/orders/404', 404],
      ['/orders/422', 422],
      ['/orders/429', 429],
      ['/orders/507', 507],
    ] as const) {
      const { statusCode, headers, body } = await app.inject({ method: 'POST', url: path })
      t.equal(statusCode, status, path)
      const { content = {} } = responseOf(document, operation, status)
      const [type = '', media] = Object.entries(content)[0] ?? []
      t.ok(String(headers['content-type']).startsWith(type), path)
      t.equal(faultsOf(document, media?.schema ?? { not: {} }, JSON.parse(body)), undefined, path)
    }
    t.same(
      Object.keys(operation.responses).filter(status => status.startsWith('2')),
      ['200', '201'],
    )
    const { responses } = operationOf(document, '/removed')
    t.equal(responses['204']?.content, undefined)
    t.same(Object.keys(responses['200']?.content ?? {}), streams, 'the status of a stream is 200')
    t.match(responses['204']?.headers, { 'headwaters-complete': Object })
    t.equal('headwaters-sources' in (responses['204']?.headers ?? {}), level !== 'none')
    t.equal((await app.inject({ method: 'DELETE', url: '/removed' })).statusCode, 204)
    const wrong = { ...JSON.parse((await app.inject({ method: 'POST', url: '/orders/422' })).body), code: 'OTHER' }
    const media = responseOf(document, operation, 422).content?.['application/problem+json']
    t.match(faultsOf(document, media?.schema ?? {}, wrong), /code/)

    const folder = t.testdir()
    const file = join(folder, 'openapi.yaml')
    writeFileSync(
      file,
      openapiYaml(aggregates, { sources: level, info: { license: { name: 'MIT', url: 'https://a.test' } } }),
    )
    const { totals, problems } = await lint(t, file)
    t.equal(totals.errors, 0, JSON.stringify(problems))
  })
}

const streams = ['application/x-ndjson', 'application/jsonl', 'text/event-stream']

test('the description of a declared problem follows the status, and keeps that of the service', t => {
  const { responses } = operationOf(documentOf([order]), '/orders/{status}')
  t.equal(responses['404']?.description, 'There is no such order.')
  t.equal(responses['422']?.description, 'The order is invalid.')
  t.match(responses['400']?.description, /^The order cannot be read\.\n\nOr: The request is malformed, /)
  t.equal(responses['429']?.description, 'The aggregate refuses the request.')
  t.match(operationOf(documentOf([order], { rateLimited: true }), '/orders/{status}').responses['429'], {
    description: /^The aggregate refuses the request\.\n\nOr: The client exceeds its rate limit/,
    headers: { 'retry-after': Object },
  })
  t.end()
})

test('the document agrees with the level of the service and of each aggregate', t => {
  const declare = (name: string, sources?: SourcesLevel) =>
    aggregate(name, { url: `/${name}`, ...(sources !== undefined && { sources }) })
      .required('wombat', () => 1)
      .each('numbat', () => [])
      .reply(z.string().meta({ examples: ['a'] }), () => 'a')
  const document = documentOf([declare('own', 'full'), declare('shared')], { sources: 'states' })
  const { components } = document
  const propertiesOf = (name: string) =>
    (components['schemas']?.[name]?.['properties'] as { sources?: { properties: object } } | undefined)?.sources
      ?.properties
  t.match(propertiesOf('OwnReply'), {
    wombat: { $ref: '#/components/schemas/Outcome' },
    numbat: { $ref: '#/components/schemas/ListOutcome' },
  })
  t.match(propertiesOf('SharedReply'), { wombat: { $ref: '#/components/schemas/OutcomeState' } })
  t.match(operationOf(document, '/shared').responses, {
    200: { content: { 'application/json': { example: { sources: { wombat: { state: 'ok' } } } } } },
    502: { $ref: '#/components/responses/BadGatewayWithStates' },
  })
  t.match(operationOf(document, '/own').responses, { 502: { $ref: '#/components/responses/BadGateway' } })
  const shown = (level: SourcesLevel) => {
    const { paths, components: all } = documentOf([declare('shared')], { sources: level })
    return JSON.stringify({ paths, responses: all['responses'] })
  }
  t.notMatch(shown('none'), /wombat|numbat|some-upstream|server-timing|cache-status|"sources"/)
  t.notMatch(shown('states'), /some-upstream|cache-status/)
  t.match(shown('full'), /some-upstream/)
  t.end()
})
