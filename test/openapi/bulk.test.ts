import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { openapiDocument } from '../../src/http/openapi/document.ts'

const double = (bulk: boolean) =>
  aggregate('double', { url: '/v1/double', body: z.object({ n: z.number() }), bulk })
    .required('doubled', ({ body: { n } }) => 2 * n)
    .reply(z.number(), ({ doubled }) => doubled)

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
  readonly tags: readonly { readonly name: string }[]
}

test('the document has the paths of bulk runs if an aggregate has bulk: true and there is a folder', async t => {
  const dir = t.testdir()
  const documentOf = async (bulk: boolean, hasFolder = true) => {
    const app = buildApp([double(bulk)], { keys: ['a-key-of-the-tests'], ...(hasFolder && { bulk: { dir } }) })
    t.teardown(() => app.close())
    return (await app.inject('/openapi.json')).json<Document>()
  }
  const { paths, tags } = await documentOf(true)
  t.same(
    Object.entries(paths)
      .filter(([path]) => path.startsWith('/v1/bulk'))
      .map(([path, methods]) => [path, Object.keys(methods)]),
    [
      ['/v1/bulk/{aggregate}', ['post']],
      ['/v1/bulk/runs', ['get']],
      ['/v1/bulk/runs/{id}', ['get', 'delete']],
      ['/v1/bulk/runs/{id}/results', ['get']],
      ['/v1/bulk/runs/{id}/pause', ['post']],
      ['/v1/bulk/runs/{id}/resume', ['post']],
      ['/v1/bulk/runs/{id}/cancel', ['post']],
    ],
  )
  t.match(paths['/v1/bulk/{aggregate}']?.['post'], {
    parameters: [{ name: 'aggregate', schema: { enum: ['double'] } }, { name: 'idempotency-key' }],
    responses: { 202: {}, 401: {}, 429: {} },
  })
  t.ok(tags.some(({ name }) => name === 'Bulk runs'))
  for (const without of [await documentOf(false), await documentOf(true, false)])
    t.notOk(Object.keys(without.paths).some(path => path.startsWith('/v1/bulk')))
})

test('an aggregate cannot have the operation id of a bulk run', async t => {
  const taken = aggregate('read-bulk-run', { url: '/v1/x' })
    .required('n', () => 1)
    .reply(z.number(), ({ n }) => n)
  t.throws(() => openapiDocument([taken], { bulk: { aggregates: ['double'] } }), { message: /readBulkRun/ })
  t.doesNotThrow(() => openapiDocument([taken], { rateLimited: true }))
})
