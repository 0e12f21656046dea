import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { errors } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { aggregates } from '../../src/routes/index.ts'
import { info } from '../../src/routes/info.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'
import { writeJson } from '../../src/core/json/write.ts'
import { openapiYaml } from '../../src/http/openapi/yaml.ts'
import { builtInBatches } from '../helpers/built-in-batches.ts'
import { serveApp } from '../helpers/served-app.ts'
import { committed, committedYaml, operations, resolved, type Document } from './helpers/document.ts'
import { everySchema } from './helpers/every-schema.ts'
import { lint } from './helpers/lint.ts'

test('openapi.yaml is up to date: run `npm run openapi` after a change', async t => {
  t.equal(openapiYaml(aggregates, { info, batch: builtInBatches }), committedYaml())
})

test('the service serves that document, as JSON and as YAML', async t => {
  const { origin } = await serveApp(t)
  const yaml = await fetch(`${origin}/openapi.yaml`)
  t.equal(yaml.headers.get('content-type'), 'application/yaml; charset=utf-8')
  t.equal(await yaml.text(), committedYaml())
  const json = await fetch(`${origin}/openapi.json`)
  t.equal(json.headers.get('content-type'), 'application/json; charset=utf-8')
  t.same(await json.json(), committed())
})

test('a caller that has the document gets 304', async t => {
  const { origin } = await serveApp(t)
  for (const path of ['/openapi.json', '/openapi.yaml']) {
    const first = await fetch(origin + path)
    const tag = first.headers.get('etag') ?? ''
    t.match(tag, /^"[\w-]+"$/)
    t.equal(first.headers.get('cache-control'), 'no-cache')
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await fetch(origin + path, { headers: { 'if-none-match': known } })
      t.equal(again.status, 304, known)
      t.equal(await again.text(), '')
    }
    t.equal((await fetch(origin + path, { headers: { 'if-none-match': '"other"' } })).status, 200)
  }
})

test('an aggregate with a transform is served once its reply is documented', async t => {
  const length = z.string().transform(text => text.length)
  const answering = (schema: z.ZodType<unknown, string>) =>
    aggregate('odd', { url: '/odd' }).reply(schema, () => 'four')
  await t.rejects(serveApp(t, { aggregates: [answering(length)] }), { message: /^aggregate 'odd', reply: 'transform'/ })
  for (const schema of [length.pipe(z.int()), length.meta({ type: 'integer' })]) {
    const { get } = await serveApp(t, { aggregates: [answering(schema)] })
    t.match(await get('/odd'), { status: 200, body: { data: 4 } })
    t.match(await get('/openapi.json'), {
      status: 200,
      body: { components: { schemas: { OddReply: { properties: { data: { type: 'integer' } } } } } },
    })
  }
})

test('a public linter finds no problem', async t => {
  t.match(await lint(t, 'openapi.yaml'), { totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] })

  const folder = t.testdir({
    'bad.yaml': committedYaml()
      .replace('example: 140', 'example: many')
      .replace('operationId: breed\n', 'operationId: catFacts\n'),
  })
  const { problems } = await lint(t, join(folder, 'bad.yaml'))
  t.same(
    problems.map(({ ruleId }) => ruleId).sort(),
    ['no-invalid-parameter-examples', 'operation-operationId-unique'],
    'and would find it',
  )
})

test('a public linter finds no problem in the document of schemas of every kind', async t => {
  const document = openapiDocument([...aggregates, ...everySchema], { info, batch: builtInBatches })
  const folder = t.testdir({ 'every.json': writeJson(document) })
  t.match(await lint(t, join(folder, 'every.json')), { totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] })
})

/** Calls `visit` with every object within a value, and where it is. */
function walk(value: unknown, visit: (part: Readonly<Record<string, unknown>>, path: string) => void, path = ''): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(value as Record<string, unknown>, path)
  for (const [key, each] of Object.entries(value)) walk(each, visit, `${path}/${key}`)
}

test('every reference points at something, and every component is used', async t => {
  const document = committed()
  const used = new Set<string>()
  walk(document, ({ $ref }) => {
    if (typeof $ref !== 'string') return
    resolved(document, { $ref })
    used.add($ref)
  })
  const all = Object.entries(document.components).flatMap(([section, parts]) =>
    Object.keys(parts).map(name => `#/components/${section}/${name}`),
  )
  t.same(
    all.filter(ref => !used.has(ref)),
    [],
  )
  t.same(
    [...used].filter(ref => !all.includes(ref)),
    [],
  )
  t.ok(all.length > 30)
})

/** A component without its words: what a program sees of it. */
function bare(part: unknown): string {
  return JSON.stringify(part, (key, value: unknown) =>
    ['description', 'example', 'examples', 'title'].includes(key) && typeof value !== 'object' ? undefined : value,
  )
}

test('no two schemas are equal', async t => {
  const schemas = Object.entries(committed().components['schemas'] ?? {})
  const seen = new Map<string, string>()
  for (const [name, schema] of schemas) {
    const shape = bare(schema)
    t.notOk(seen.has(shape), `${name} stands alone${seen.has(shape) ? `, but is ${seen.get(shape)}` : ''}`)
    seen.set(shape, name)
  }
})

test('schemas are valid JSON Schema', async t => {
  const text = committedYaml()
  for (const word of ['$defs', '$schema', '~standard', '9007199254740991', '__schema'])
    t.notOk(text.includes(word), word)
})

test('each operation has a unique id, a summary, described parameters and every status', async t => {
  const document = committed()
  const all = operations(document)
  t.same(
    all.map(({ operation }) => operation.operationId),
    ['catFacts', 'breed', 'postcard', 'batch', 'healthLive', 'healthReady'],
  )
  for (const { operation, path, method } of all) {
    t.ok(operation.summary, path)
    for (const parameter of operation.parameters ?? [])
      t.ok(resolved(document, parameter).description, `${path} ${resolved(document, parameter).name}`)
    if (path.startsWith('/health/')) continue
    const isBatch = path === '/v1/batch'
    const statuses = [
      '200',
      ...(method === 'GET' ? ['204'] : []),
      '400',
      '406',
      ...(method === 'POST' ? ['413', '415'] : []),
      '500',
      ...(isBatch ? ['503'] : ['502', '503', '504']),
      '4XX',
    ]
    t.same(Object.keys(operation.responses), statuses, path)
    for (const status of statuses.filter(each => !each.startsWith('2'))) {
      const response = resolved(
        document,
        operation.responses[status] as Document['paths'][string][string]['responses'][string],
      )
      t.same(
        response.content?.['application/problem+json']?.schema,
        { $ref: '#/components/schemas/Problem' },
        `${path} ${status}`,
      )
      t.equal(response.headers?.['retry-after'] !== undefined, status === '503')
    }
  }
})

test('sources are typed for each aggregate, step by step in the order of declaration', async t => {
  const {
    components: { schemas = {} },
  } = committed()
  const reply = schemas['BreedReply'] as {
    readonly properties: {
      readonly sources: {
        readonly properties: Record<string, { readonly $ref: string }>
        readonly required: readonly string[]
      }
    }
  }
  const { properties, required } = reply.properties.sources
  t.same(
    Object.entries(properties).map(([name, { $ref }]) => [name, $ref.split('/').at(-1)]),
    [
      ['matches', 'Outcome'],
      ['found', 'Outcome'],
      ['pictures', 'ListOutcome'],
      ['summary', 'Outcome'],
      ['facts', 'Outcome'],
    ],
  )
  t.same(required, Object.keys(properties))
})

test('the codes are those of the table of errors', async t => {
  t.same(committed().components['schemas']?.['ErrorCode']?.['enum'], Object.keys(errors))
})

test('YAML and JSON are the same document', async t => {
  const options = { batch: builtInBatches }
  t.same(parse(openapiYaml(aggregates, options)), openapiDocument(aggregates, options))
})
