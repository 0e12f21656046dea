import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { writeJson } from '../../src/core/json/write.ts'
import { openapiDocument, type OpenapiOptions } from '../../src/http/openapi/document.ts'
import { aggregates } from '../../src/routes/index.ts'
import { info } from '../../src/routes/info.ts'
import { builtInBatches } from '../helpers/built-in-batches.ts'
import { serveApp } from '../helpers/served-app.ts'
import { faultsOf, resolved, type Document } from './helpers/document.ts'
import { everySchema } from './helpers/every-schema.ts'
import { lint } from './helpers/lint.ts'

const options: OpenapiOptions = { info, batch: builtInBatches }
const built = openapiDocument(aggregates, { ...options, version: '3.2' })
const document = built as unknown as Document

test('a public linter finds no problem in a document of OpenAPI 3.2', async t => {
  const folder = t.testdir()
  const file = join(folder, 'openapi.json')
  writeFileSync(file, writeJson(openapiDocument([...aggregates, ...everySchema], { ...options, version: '3.2' })))
  t.match(await lint(t, file), { totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] })
  writeFileSync(file, writeJson(built).replaceAll('"itemSchema"', '"itemSchemas"'))
  t.match((await lint(t, file)).problems, [{ message: /itemSchemas/ }], 'and would find it')
})

test('the service serves the document of OpenAPI 3.2 beside that of 3.1', async t => {
  const { get } = await serveApp(t)
  const later = await get<Document>('/openapi-3.2.json')
  t.equal(later.headers.get('content-type'), 'application/json; charset=utf-8')
  t.match(later.headers.get('etag'), /^"[\w-]+"$/)
  t.same(later.body, JSON.parse(writeJson(built)))
  t.equal((await get<Document>('/openapi.json')).body.openapi, '3.1.0')
  t.equal(later.body.openapi, '3.2.0')
})

test('the method QUERY of batches is in OpenAPI 3.2 alone', t => {
  t.same(Object.keys(document.paths['/v1/batch'] ?? {}), ['post', 'query'])
  const earlier = openapiDocument(aggregates, options) as unknown as Document
  t.same(Object.keys(earlier.paths['/v1/batch'] ?? {}), ['post'])
  t.match(earlier.paths['/v1/batch']?.['post'], { description: /QUERY \(RFC 10008\)/ })
  t.end()
})

test('a batch by QUERY gets the reply that the document of OpenAPI 3.2 has', async t => {
  const { get } = await serveApp(t)
  const query = document.paths['/v1/batch']?.['query']
  const { body } = await get<object>('/v1/batch', {
    method: 'QUERY',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(query?.requestBody?.content['application/json']?.example),
  })
  t.match(body, {
    results: [
      { id: 'a', state: 'ok' },
      { id: 'b', state: 'ok' },
    ],
    complete: true,
  })
  const schema = query?.responses['200']?.content?.['application/json']?.schema as object
  t.equal(faultsOf(document, schema, body), undefined)
})

test('each item of a stream fits the item schema of its media type', async t => {
  const { origin } = await serveApp(t)
  const content = document.paths['/v1/cat-facts']?.['get']?.responses['200']?.content ?? {}
  const ask = async (accept: string) => (await fetch(`${origin}/v1/cat-facts`, { headers: { accept } })).text()
  for (const type of ['application/x-ndjson', 'application/jsonl']) {
    t.equal(content[type]?.schema, undefined)
    const lines = (await ask(type)).split('\n').slice(0, -1)
    t.ok(lines.length > 4)
    for (const line of lines)
      t.equal(faultsOf(document, content[type]?.itemSchema as object, JSON.parse(line)), undefined)
  }
  const schema = content['text/event-stream']?.itemSchema as {
    readonly properties: { readonly data: { readonly contentSchema: object } }
  }
  const blocks = (await ask('text/event-stream')).split('\n\n').filter(block => block.includes('data: '))
  for (const block of blocks) {
    const event = Object.fromEntries(block.split('\n').map(line => line.split(': ', 2)) as [string, string][])
    const data = block.slice(block.indexOf('data: ') + 'data: '.length)
    t.equal(faultsOf(document, schema, { ...event, data }), undefined)
    t.equal(faultsOf(document, schema.properties.data.contentSchema, JSON.parse(data)), undefined)
    t.equal((JSON.parse(data) as { event: string }).event, event['event'])
  }
  t.ok(blocks.length > 4)
})

test('the example of a stream is its text, whose items fit the item schema', t => {
  const content = document.paths['/v1/cat-facts']?.['get']?.responses['200']?.content ?? {}
  const { itemSchema = {}, examples = {} } = content['application/x-ndjson'] ?? {}
  const lines = String(resolved(document, examples['stream'] ?? {}).serializedValue)
    .split('\n')
    .slice(0, -1)
  for (const line of lines) t.equal(faultsOf(document, itemSchema, JSON.parse(line)), undefined)
  t.same(
    lines.map(line => (JSON.parse(line) as { event: string }).event),
    ['plan', 'source', 'source', 'source', 'snapshot', 'reply'],
  )
  t.match(
    content['text/event-stream']?.examples?.['stream']?.serializedValue,
    /^id: [\w-]+\.1\.1\nevent: plan\ndata: \{/,
  )
  t.end()
})

test('another version of OpenAPI is refused', t => {
  t.throws(() => openapiDocument(aggregates, { version: '3.0' as '3.1' }), {
    message: 'openapi: the version of OpenAPI must be 3.1 or 3.2, got 3.0',
  })
  t.end()
})
