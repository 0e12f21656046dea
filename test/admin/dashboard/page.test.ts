import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import { assetFiles } from '../../../src/admin/dashboard/asset-files.ts'
import { Assets } from '../../../src/admin/dashboard/assets.ts'
import { addPageRoutes } from '../../../src/admin/dashboard/page-routes.ts'
import { serveAdminApp } from '../helpers/served-admin-app.ts'

const key = 'admin-key-0123456789'

/** The paths of the files that the page names. */
function linksOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, path]) => path as string)
}

test('the page has its policy, needs no key, and each file that it names is served', async t => {
  const { origin } = await serveAdminApp(t, {
    metrics: { source: { render: async () => ({ contentType: '', body: '' }) }, key },
    routes: [addPageRoutes],
  })
  const response = await fetch(`${origin}/dashboard`)
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
  t.match(response.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self'; /)
  t.match(
    response.headers.get('content-security-policy'),
    /; frame-ancestors 'none'; require-trusted-types-for 'script'$/,
  )
  t.notMatch(response.headers.get('content-security-policy'), /unsafe/)
  t.equal(response.headers.get('x-content-type-options'), 'nosniff')
  t.equal(response.headers.get('referrer-policy'), 'no-referrer')
  t.equal(response.headers.get('cross-origin-opener-policy'), 'same-origin')
  t.equal(response.headers.get('cache-control'), 'no-cache')
  const html = await response.text()
  t.notMatch(html, /\sstyle=|<style|https?:/, 'no inline style, and no file of another origin')
  const types = { css: 'text/css', svg: 'image/svg+xml', js: 'text/javascript', ts: 'text/javascript' }
  const links = linksOf(html)
  t.ok(links.length > 0)
  for (const path of links) {
    const file = await fetch(`${origin}/${path}`)
    t.equal(file.status, 200, path)
    t.match(file.headers.get('content-type'), types[path.split('.').at(-1) as keyof typeof types])
  }
})

test('a browser that has a file gets 304', async t => {
  const { origin } = await serveAdminApp(t, { routes: [addPageRoutes] })
  for (const path of ['/dashboard', '/dashboard/assets/uplot.js', '/dashboard/assets/dashboard/protocol.ts']) {
    const first = await fetch(origin + path)
    await first.text()
    const again = await fetch(origin + path, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    t.equal(again.status, 304, path)
    t.equal(await again.text(), '')
  }
})

test('only the files of the list are served', async t => {
  const { origin } = await serveAdminApp(t, { routes: [addPageRoutes] })
  for (const path of [
    'dashboard/page.ts',
    'dashboard/../errors.ts',
    'dashboard/%2e%2e/errors.ts',
    '..%2f..%2fpackage.json',
    '%2fetc%2fpasswd',
    'errors.ts',
    'dashboard',
    'dashboard/',
    '',
    '__proto__',
    'constructor',
    'UPLOT.JS',
  ])
    t.equal((await fetch(`${origin}/dashboard/assets/${path}`)).status, 404, path)
  t.equal((await fetch(`${origin}/dashboard/assets/uplot.js`, { method: 'POST' })).status, 405)
  t.equal((await fetch(`${origin}/dashboard`, { method: 'DELETE' })).status, 405)
  t.equal((await fetch(`${origin}/dashboard`, { method: 'HEAD' })).status, 200)
  t.equal((await fetch(`${origin}/dashboard/`, { redirect: 'manual' })).headers.get('location'), '../dashboard')
})

test('a module of the sources is served without its types, and again after an edit', async t => {
  const folder = t.testdir({
    dashboard: {
      'main.ts': `import { a } from './model/a.ts'\nconst b: number = a\n`,
      model: { 'a.ts': 'export const a = 1 as number\n' },
    },
    waterfall: {},
  })
  const assets = new Assets(assetFiles(pathToFileURL(`${folder}/`), '.ts'))
  t.equal((await assets.find('dashboard/main.ts'))?.text, `import { a } from './model/a.ts'\nconst b         = a\n`)
  const before = await assets.find('dashboard/model/a.ts')
  t.equal(before?.text, 'export const a = 1          \n')
  t.equal(await assets.find('dashboard/model/a.ts'), before, 'it is kept')
  writeFileSync(join(folder, 'dashboard/model/a.ts'), 'export const a = 22 as number\n')
  t.match(await assets.find('dashboard/model/a.ts'), { text: 'export const a = 22          \n' })
})

test('a source that cannot be read fails its request, and is read after it is corrected', async t => {
  const folder = t.testdir({ dashboard: { 'main.ts': 'const = 1' }, waterfall: {} })
  const assets = new Assets(assetFiles(pathToFileURL(`${folder}/`), '.ts'))
  await t.rejects(assets.find('dashboard/main.ts'))
  writeFileSync(join(folder, 'dashboard/main.ts'), 'const a = 1')
  t.match(await assets.find('dashboard/main.ts'), { text: 'const a = 1' })
})

test('a source that cannot be read fails alone, and its error names the file', async t => {
  const folder = t.testdir({
    dashboard: { 'main.ts': 'const a = 1', 'broken.ts': 'const = 1', 'removed.ts': '' },
    waterfall: {},
  })
  const files = assetFiles(pathToFileURL(`${folder}/`), '.ts')
  rmSync(join(folder, 'dashboard/removed.ts'))
  const assets = new Assets(files)
  await t.rejects(assets.find('dashboard/removed.ts'), { message: /dashboard\/removed\.ts.* cannot be read: ENOENT/ })
  await t.rejects(assets.find('dashboard/broken.ts'), {
    message: /dashboard\/broken\.ts.* cannot be read: Unexpected token/,
  })
  t.match(await assets.find('dashboard/main.ts'), { text: 'const a = 1' })
  const { origin, lines } = await serveAdminApp(t, { routes: [app => addPageRoutes(app, assets)] })
  t.equal((await fetch(`${origin}/dashboard/assets/dashboard/broken.ts`)).status, 500)
  t.ok(
    lines.some(line => JSON.stringify(line).includes('dashboard/broken.ts cannot be read')),
    'the log names the file',
  )
})

test('a built module is served as it is', async t => {
  const folder = t.testdir({
    dashboard: { 'main.js': 'const a = 1\n', 'main.d.ts': '', 'main.js.map': '{}', 'style.css': 'p { margin: 0 }' },
    waterfall: { 'axis.js': 'export {}' },
  })
  const files = assetFiles(pathToFileURL(`${folder}/`), '.js')
  t.same([...files.keys()].sort(), [
    'dashboard/main.js',
    'dashboard/style.css',
    'uplot.css',
    'uplot.js',
    'waterfall/axis.js',
  ])
  t.match(await new Assets(files).find('dashboard/main.js'), { text: 'const a = 1\n', type: 'text/javascript' })
  t.match(await new Assets(files).find('dashboard/style.css'), { type: 'text/css' })
  t.equal((await new Assets(files).find('uplot.js'))?.text, readFileSync(files.get('uplot.js')?.url ?? '', 'utf8'))
})
