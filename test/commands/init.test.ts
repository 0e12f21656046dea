import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap, { test } from 'tap'
import { packageSpec } from '../../src/commands/init/package-spec.ts'
import { projectFiles } from '../../src/commands/init/project-files.ts'
import { checkTypes, runTests } from '../helpers/project-tests.ts'
import { runCommand } from '../helpers/service-process.ts'

// Its tests start processes.
tap.setTimeout(120_000)

const root = join(import.meta.dirname, '../..')
const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }

interface Manifest {
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(folder, path)).isFile())
    .toSorted()
}

test('init writes a project whose tests pass and whose types are right', async t => {
  const folder = join(t.testdir({}), 'My Shop')
  const { code, output, errors } = await runCommand(t, ['init', folder])
  t.equal(code, 0)
  t.equal(errors, '')
  t.match(output, 'npm install\n')
  t.match(output, 'My Shop/README.md describes its folders.\n')
  t.same(filesOf(folder), [
    '.gitignore',
    'README.md',
    'aggregates/book.ts',
    'demo/start.ts',
    'demo/upstream.ts',
    'package.json',
    'test/book.test.ts',
    'tsconfig.json',
    'upstreams/library.ts',
  ])
  t.match(manifestOf(folder), { name: 'my-shop', dependencies: { headwaters: own.version, zod: /^\^4\./ } })
  t.same(await checkTypes(folder), { code: 0, output: '' })
  t.match(await runTests(folder, ['test/book.test.ts']), { code: 0, output: /^# pass 3$/m })
})

test('the files of a project are those of the starter example', t => {
  for (const [path, content] of projectFiles('a', '1.0.0')) {
    if (path === 'package.json' || path === 'tsconfig.json' || path === '.gitignore') continue
    t.equal(content, readFileSync(join(root, 'examples/starter', path), 'utf8'), path)
  }
  t.end()
})

test('init writes nothing if one of its files exists', async t => {
  const folder = t.testdir({ aggregates: { 'book.ts': 'mine' } })
  const { code, errors } = await runCommand(t, ['init', folder])
  t.equal(code, 2)
  t.match(errors, `headwaters: init: aggregates/book.ts exists in '${folder}'; name an empty folder\n`)
  t.same(filesOf(folder), ['aggregates/book.ts'])
  t.equal(readFileSync(join(folder, 'aggregates/book.ts'), 'utf8'), 'mine')
})

test('init keeps the other files of a folder', async t => {
  const folder = t.testdir({ '.git': {}, 'notes.txt': 'mine' })
  const { code } = await runCommand(t, ['init', folder])
  t.equal(code, 0)
  t.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine')
})

test('init refuses a file, two folders and an unknown option', async t => {
  const folder = t.testdir({ file: '' })
  const file = join(folder, 'file')
  for (const [args, message] of [
    [[file], `headwaters: init: '${file}' is a file; name a folder\n`],
    [['a', 'b'], 'headwaters: init takes one folder, got a, b\n'],
    [['--template'], "headwaters: unknown option '--template'"],
  ] as const) {
    const { code, errors } = await runCommand(t, ['init', ...args])
    t.equal(code, 2)
    t.match(errors, message)
  }
  t.same(filesOf(folder), ['file'])
})

test('the dependency on headwaters is the packed file, the range or the version that is given', async t => {
  const folder = t.testdir({})
  const packed = join(folder, 'headwaters-9.0.0.tgz')
  writeFileSync(packed, '')
  t.equal(packageSpec(join(folder, 'shop'), packed), 'file:../headwaters-9.0.0.tgz')
  t.equal(packageSpec(folder, packed), 'file:headwaters-9.0.0.tgz')
  t.equal(packageSpec(folder, '^2.0.0'), '^2.0.0')
  t.equal(packageSpec(folder, 'headwaters@2.1.0'), '2.1.0')
  for (const given of [undefined, '', 'headwaters']) t.equal(packageSpec(folder, given), own.version)

  const written = join(folder, 'written')
  await runCommand(t, ['init', written, '--package', packed])
  t.equal(manifestOf(written).dependencies['headwaters'], 'file:../headwaters-9.0.0.tgz')
  const executed = join(folder, 'executed')
  await runCommand(t, ['init', executed], { npm_config_package: packed })
  t.equal(manifestOf(executed).dependencies['headwaters'], 'file:../headwaters-9.0.0.tgz')
})

test('the name of a project is a valid name of a package', t => {
  const nameOf = (folder: string) =>
    (JSON.parse(projectFiles(folder, '1.0.0').get('package.json') ?? '') as Manifest).name
  t.equal(nameOf('Prices & Stock'), 'prices-stock')
  t.equal(nameOf('.shop_'), 'shop')
  for (const folder of ['', '___', 'headwaters']) t.equal(nameOf(folder), 'aggregates')
  t.end()
})
