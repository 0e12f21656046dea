import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { t, test } from 'tap'
import type * as AssetFiles from '../../src/admin/dashboard/asset-files.ts'
import type * as Page from '../../src/dashboard/page.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { docBlocks } from '../helpers/doc-blocks.ts'
import { environment, packedProject, say, tool } from '../helpers/packed-project.ts'

t.setTimeout(180_000)

/** Not the copy that headwaters brings, so that two are there. */
const ownFastify = '5.11.3'

const { project, tarball, offline } = await packedProject(t, [`fastify@${ownFastify}`, 'zod@4.6', '@types/node@24'])
if (offline !== undefined && process.env['HEADWATERS_TEST_ALL'] === '1')
  t.fail('the npm registry cannot be reached', { offline })
const skip =
  offline === undefined ? false : 'the npm registry cannot be reached, so the package was packed and not installed'

const installed = join(project, 'node_modules/headwaters')
const manifest = (name: string) =>
  JSON.parse(readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8')) as {
    readonly version: string
    readonly dependencies: Readonly<Record<string, string>>
    readonly devDependencies: Readonly<Record<string, string>>
    readonly peerDependencies: Readonly<Record<string, string>>
  }

if (offline === undefined) {
  // Kept as text, so that the checkout's own compiler leaves them to the one that runs there.
  const programs = join(import.meta.dirname, 'project')
  for (const name of readdirSync(programs))
    copyFileSync(join(programs, name), join(project, name.replace(/\.txt$/, '')))
  for (const page of [
    'embedding',
    'testing',
    'layers-and-hooks',
    'offload',
    'options',
    'numbers',
    'policies',
    'streaming',
  ])
    for (const [name, code] of Object.entries(docBlocks(page))) writeFileSync(join(project, name), code)
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        allowImportingTsExtensions: true,
      },
      include: ['*.ts'],
    }),
  )
}

test('the package holds what is run and its types, and no sources, tests, maps or tools', { skip }, async t => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
    .map(file => file.replaceAll('\\', '/'))
    .filter(file => !file.startsWith('node_modules'))
  const outside = files.filter(file => !file.startsWith('dist'))
  t.same(
    outside.filter(
      file =>
        !/^(?:bench|docs|examples|ops|(?:bench|docs|examples|ops)\/.*|[A-Z_]+\.md|LICENSE|openapi\.yaml|package\.json)$/.test(
          file,
        ),
    ),
    [],
  )
  for (const file of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/bin.cjs',
    'dist/app.js',
    'dist/testing/index.d.ts',
    'dist/client/index.js',
    'dist/dashboard/page.js',
    'dist/dashboard/protocol.js',
    'dist/waterfall/kept-run.js',
    'LICENSE',
  ])
    t.ok(files.includes(file), file)
  t.same(
    files.filter(file => !/^(?:examples|ops)\b/.test(file) && /\.map$|\.test\.|(?<!\.d)\.ts$/.test(file)),
    [],
  )
})

test('the package holds each file of the dashboard that its page loads', { skip }, async t => {
  const load = async <Module>(path: string) =>
    (await import(pathToFileURL(join(installed, 'dist', path)).href)) as Module
  const { page } = await load<typeof Page>('dashboard/page.js')
  const { assetFiles } = await load<typeof AssetFiles>('admin/dashboard/asset-files.js')
  const files = assetFiles()
  const names = Array.from(page('js').matchAll(/"dashboard\/assets\/([^"]+)"/g), ([, name]) => name as string)
  t.ok(names.includes('dashboard/main.js'))
  // A module loads others, by paths that are relative to its own one.
  for (const name of names) {
    const file = files.get(name)
    if (!t.ok(file !== undefined && existsSync(file.url), name) || !name.endsWith('.js')) continue
    const text = readFileSync((file as AssetFiles.AssetFile).url, 'utf8')
    for (const [, path] of text.matchAll(/\b(?:from|import) '(\.[^']+)'/g)) {
      const imported = join(name, '..', path as string).replaceAll('\\', '/')
      if (!names.includes(imported)) names.push(imported)
    }
  }
  t.ok(names.length > 20, `${names.length} files`)
})

test('installing it brings neither Node.js nor a tool of this checkout', { skip }, async t => {
  const { devDependencies, peerDependencies } = manifest('headwaters')
  const brought = Object.keys(devDependencies).filter(
    name => name !== '@types/node' && !(name in peerDependencies) && existsSync(join(project, 'node_modules', name)),
  )
  t.same(brought, [])
  t.same(
    readdirSync(join(project, 'node_modules')).filter(name => /^(?:node|node-.*|headwaters-node)$/.test(name)),
    [],
  )
  t.equal(manifest('fastify').version, ownFastify, 'the project has its own Fastify')
})

test('the scripts that npm runs on its own run there too, without the files of the checkout', { skip }, async t => {
  const { scripts } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const own = /^(?:(?:pre|post)?(?:install|pack|publish)|prepare|prepublish(?:Only)?|dependencies)$/
  const names = Object.keys(scripts).filter(name => own.test(name))
  t.same(names, ['prepare'])
  const before = readdirSync(join(installed, 'dist')).length
  for (const name of names) t.same(await say(installed, 'npm', ['run', '--silent', name]), { code: 0, output: '' })
  t.equal(readdirSync(join(installed, 'dist')).length, before)
})

/** The version of a Node.js that is too old, and its path; `undefined` if none is installed. */
async function findOldNode() {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const { output } = await say(project, path, ['--version'])
    if (Number(output.match(/^v(\d+)/)?.[1] ?? 24) < 24) return { path, version: output.trim().slice(1) }
  }
  return undefined
}

test('on a Node.js that is too old the command and each entrance say which one they need', { skip }, async t => {
  const oldNode = await findOldNode()
  if (oldNode === undefined) return t.pass('no Node.js before 24 is installed, so none was run')
  const { path, version } = oldNode
  const needs = `Headwaters needs Node.js 24 or newer, and this is Node.js ${version}`
  const { code, output } = await say(project, path, [join(installed, 'dist/bin.cjs'), 'serve'])
  t.equal(output, `${needs}\n`)
  t.equal(code, 1)
  for (const entrance of ['headwaters', 'headwaters/app', 'headwaters/testing']) {
    const said = await say(project, path, ['--input-type=module', '--eval', `import '${entrance}'`])
    t.match(said.output, `\nError: ${needs}\n`, entrance)
    t.equal(said.code, 1)
  }
})

test("schemas are made by the project's own zod", { skip }, async t => {
  t.equal(manifest('headwaters').dependencies['zod'], undefined)
})

test('types resolve under nodenext, the docs included', { skip }, async t => {
  const { code, output } = await say(project, tool('tsc'), ['-p', '.'])
  t.equal(output, '')
  t.equal(code, 0)
})

test("the package is a plugin of the project's own Fastify", { skip }, async t => {
  const { code, output } = await say(project, 'node', ['own-app.ts'])
  t.equal(code, 0, { output })
  t.match(
    output
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object),
    [
      { status: 200, fastify: ownFastify, body: { own: true } },
      { status: 200, body: { data: { text: 'They purr.' }, complete: true } },
      { status: 503, retryAfter: '3', body: { code: 'UPSTREAM_BUSY' } },
      { status: 404, body: { statusCode: 404, message: 'Route GET:/api/none not found' } },
    ],
  )
})

test('the tests of the docs pass there', { skip }, async t => {
  const { code, output } = await say(project, 'node', ['--test', '--test-reporter=tap', 'cats.test.ts'])
  t.equal(code, 0, { output })
  t.match(output, /^# pass 3$/m)
})

test('an offloaded function runs in a thread of the installed package', { skip }, async t => {
  const { code, output } = await say(project, 'node', ['offloaded.ts'])
  t.equal(code, 0, { output })
  t.equal(output, '{"offer":{"title":"Cat food","cents":300}}\n')
})

test('the command of the package serves a definitions file of the project', { skip }, async t => {
  const cats = await scriptedUpstream()
  t.teardown(() => cats.close())
  cats.always('/fact', { fact: 'They purr.' })
  const child = spawn(
    'env',
    ['-u', 'NODE_OPTIONS', join(project, 'node_modules/.bin/headwaters'), 'serve', 'aggregates.ts'],
    {
      cwd: project,
      env: { ...environment, HOST: '127.0.0.1', PORT: '0', HEADWATERS_UPSTREAM_CATS_ORIGIN: cats.origin },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  let origin: string | undefined
  for await (const line of createInterface(child.stdout)) {
    origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
    if (origin !== undefined) break
  }
  child.stdout.resume()
  const response = await fetch(`${origin}/fact?loud=true`)
  t.equal(response.status, 200)
  t.match(await response.json(), { data: { text: 'THEY PURR.' }, complete: true })
  child.kill('SIGTERM')
  t.same(await ended, [0, null])
})

test('npx finds its command', { skip }, async t => {
  const { code, output } = await say(project, 'npx', ['headwaters', '--help'])
  t.equal(code, 0, { output })
  t.match(output, /Usage: headwaters /)
})

test('public linters of packages find nothing', async t => {
  const linted = await say(project, tool('publint'), [tarball, '--strict'])
  t.equal(linted.code, 0, { output: linted.output })
  t.match(linted.output, /All good!/)
  const typed = await say(project, tool('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'])
  t.equal(typed.code, 0, { output: typed.output })
  for (const entrance of ['testing', 'client'])
    t.match(typed.output, new RegExp(`"headwaters/${entrance}" *│ OK \\(ESM\\)`))
})
