import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test, type Test } from 'tap'
import { packageInfo } from '../../src/definitions/package-info.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

const root = join(import.meta.dirname, '../..')

/** Definitions that change the working directory when they are loaded. */
const moving = (count: string) => `
import { aggregate } from 'headwaters'
import { z } from 'zod'

process.chdir(import.meta.dirname + '/a/b/c/d/e/f')
export const order: unknown = aggregate('order', {
  method: 'POST', url: '/order', query: z.object({ size: z.enum(['small', 'large']).optional() }), body: z.object({ count: z.number() }),
})
  .required('one', ({ body }) => body.count)
  .reply(z.object({ count: z.number() }), ({ one }) => ({ count: ${count} }))
`

/** Writes the definitions; returns the path of their folder from the folder in which the commands run. */
function movingFolder(t: Test) {
  const { path, write } = definitionsFolder(t, {
    'order.ts': moving('one'),
    'a/b/c/d/e/f/empty.json': '{}',
    'body.json': '{ "count": 3 }',
    'package.json': '{ "name": "orders", "version": "1.2.3" }',
  })
  return { folder: relative(root, path), path, write }
}

test('run, with a body of a file, has relative paths when definitions change the working directory', async t => {
  const { folder } = movingFolder(t)
  for (const path of [folder, join(folder, 'order.ts')]) {
    const { code, output } = await runCommand(t, ['run', 'order', path, '--body', `@${join(folder, 'body.json')}`])
    t.equal(code, 0)
    t.same(JSON.parse(output), { count: 3 })
  }
})

test('openapi, also with --out, has relative paths when definitions change the working directory', async t => {
  const { folder, path } = movingFolder(t)
  const args = ['openapi', join(folder, 'order.ts'), '--json']
  const { code, output } = await runCommand(t, args)
  t.equal(code, 0)
  t.match(JSON.parse(output), { info: { title: 'orders', version: '1.2.3' } })
  const written = await runCommand(t, [...args, '--out', join(folder, 'openapi.json')])
  t.equal(written.code, 0)
  t.equal(readFileSync(join(path, 'openapi.json'), 'utf8'), output)
})

test('completion has relative paths when definitions change the working directory', async t => {
  const { folder } = movingFolder(t)
  const { output } = await runCommand(t, ['completion', 'words', 'run', 'order', folder, '--size'])
  t.equal(output, 'small\nlarge\n')
})

const post = async (origin: string): Promise<unknown> => {
  const response = await fetch(`${origin}/order`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{ "count": 4 }',
  })
  return ((await response.json()) as { readonly data?: unknown }).data
}

test('serve --watch reloads relative paths when definitions change the working directory', async t => {
  const { folder, write } = movingFolder(t)
  const { origin, said } = await startService(t, {}, ['serve', folder, '--watch'])
  t.same(await post(origin), { count: 4 })
  write('order.ts', moving('one + 1'))
  await said('definitions reloaded')
  t.same(await post(origin), { count: 5 })
})

test('serve --workers has relative paths when definitions change the working directory', async t => {
  const { folder } = movingFolder(t)
  const { origin } = await startService(t, {}, ['serve', folder, '--workers', '2'])
  t.same(await post(origin), { count: 4 })
})

test('a fault names a file from where the command was started', async t => {
  const { folder } = movingFolder(t)
  const { code, errors } = await runCommand(t, ['openapi', join(folder, 'order.ts'), 'src/definitions/shown-path.ts'])
  t.equal(code, 2)
  t.match(errors, '  src/definitions/shown-path.ts: exports no aggregate')
})

test('definitions that were removed after their load have neither a title nor a version', t => {
  const { path } = movingFolder(t)
  t.same(packageInfo(join(path, 'order.ts')), { title: 'orders', version: '1.2.3' })
  t.same(packageInfo(join(path, 'removed.ts')), {})
  t.end()
})
