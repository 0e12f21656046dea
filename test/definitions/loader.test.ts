import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { DefinitionsError } from '../../src/definitions/definitions-error.ts'
import { createLoader, type Loader } from '../../src/definitions/loader.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { failure } from '../helpers/failure.ts'

const origin = 'http://127.0.0.1:9'

function loaderOf(t: Test, ...paths: string[]): Loader {
  const loader = createLoader(paths)
  t.teardown(loader.close)
  return loader
}

async function faultsOf(t: Test, ...paths: string[]): Promise<string[]> {
  const error = await failure(loaderOf(t, ...paths).load())
  if (!(error instanceof DefinitionsError)) throw error
  return error.message.split('\n')
}

const wordOf = async (loader: Loader) => {
  const {
    aggregates: [aggregate],
  } = await loader.load()
  if (aggregate === undefined) throw new Error('there is none')
  return async () =>
    (await fanOut(aggregate, {}, { runtime: answeringRuntime(() => ({ word: 'cat' })) })).data as { word: string }
}

test('a folder is searched whole, but for node_modules, hidden folders, tests and declarations', async t => {
  const broken = 'throw new Error("this is not to be loaded")'
  const { path } = definitionsFolder(t, {
    'b.ts': words(origin, { name: 'b' }),
    'a/deep/c.mts': words(origin, { name: 'c' }),
    'a/d.mjs': words(origin, { name: 'd' }).replace(': unknown', ''),
    'shapes.ts': 'export const one: number = 1',
    'node_modules/x/index.js': broken,
    '.hidden/x.ts': broken,
    'b.test.ts': broken,
    'types.d.ts': 'export type A = string',
    'read.me': 'no code',
  })
  const { aggregates, upstreams } = await loaderOf(t, path).load()
  t.same(
    aggregates.map(({ name }) => name),
    ['d', 'c', 'b'],
  )
  t.same(upstreams, ['word-source'], 'though no module exports it')
})

test('headwaters is the running copy, and zod is that of the service if the project has none', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': words(origin, { before: 'one ' }) })
  const ask = await wordOf(loaderOf(t, path))
  t.same(await ask(), { word: 'one cat' })
})

test('a project that says it is CommonJS may write its definitions in TypeScript or in CommonJS', async t => {
  const { path } = definitionsFolder(t, {
    'package.json': '{ "type": "commonjs" }',
    'words.ts': words(origin),
    'common.js':
      'const { aggregate } = require("headwaters"); const { z } = require("zod"); ' +
      'exports.common = aggregate("common", { url: "/common" }).reply(z.object({}), () => ({}))',
  })
  const { aggregates } = await loaderOf(t, path).load()
  t.same(
    aggregates.map(({ name }) => name),
    ['common', 'words'],
  )
})

test('a file may import others by the names that a compiler would give them', async t => {
  const { path } = definitionsFolder(t, {
    'words.ts': words(origin)
      .replace('import { z }', "import { a } from './lib/a.js'\nimport { b } from './lib/b'\nimport { z }")
      .replace("word: '' +", 'word: a + b +'),
    'lib/a.ts': "export const a: string = 'a'",
    'lib/b.ts': "export const b: string = 'b'",
  })
  const ask = await wordOf(loaderOf(t, join(path, 'words.ts')))
  t.same(await ask(), { word: 'abcat' })
})

test('an aggregate that is exported twice, or in a list, is one', async t => {
  const { path } = definitionsFolder(t, {
    'words.ts': words(origin),
    'index.ts': "import { words } from './words.ts'\nexport { words }\nexport default [words]",
  })
  t.equal((await loaderOf(t, path).load()).aggregates.length, 1)
})

test('all faults of all files are said at once, each with its file, its place and its reason', async t => {
  const { path } = definitionsFolder(t, {
    'a.ts': words(origin, { name: 'same' }),
    'b.ts': words(origin, { name: 'same', url: '/other' }),
    'c.ts': words(origin, { name: 'third', url: '/other' }),
    'half.ts': "import { aggregate } from 'headwaters'\nexport const half = aggregate('half', { url: '/half' })",
    'throws.ts': "export const a: number = 1\nthrow new RangeError('not today')",
    'throws-too.ts': "import './throws.ts'",
    'syntax.ts': 'export const a = 1\nexport const b = = 2',
    'enum.ts': 'enum A { b }',
    'missing.ts': "import './nowhere.ts'",
    'unnamed.ts': "import { nothing } from './a.ts'\nexport { nothing }",
    'foreign.ts': "import 'no-such-package'",
    'upstream.ts':
      "import { defineUpstream } from 'headwaters'\n\nexport const a = defineUpstream('Bad Name', { origin: 'http://a' }, {})",
    'zod3.ts':
      "import { aggregate } from 'headwaters'\nimport { z } from 'zod'\n" +
      "export const old = aggregate('old', { url: '/old', query: { parse () {} } as never }).reply(z.object({}), () => ({}))",
  })
  const folder = definitionsFolder(t, { 'nothing.ts': 'export const a = 1' }).path
  const faults = await faultsOf(
    t,
    path,
    join(folder, 'nothing.ts'),
    folder,
    join(path, 'nowhere'),
    join(path, 'package.json'),
  )
  const expected = [
    `${path}/nowhere: no such file or folder: check the path`,
    `${path}/package.json: no such file or folder: check the path`,
    `${path}/enum.ts:1: cannot be loaded: TypeScript enum is not supported in strip-only mode`,
    `${path}/foreign.ts: cannot be loaded: Cannot find package 'no-such-package'`,
    `${path}/half.ts: export 'half' is an aggregate without a reply: end it with .reply(schema, merge)`,
    `${path}/missing.ts: cannot be loaded: Cannot find module '${path}/nowhere.ts'`,
    `${path}/syntax.ts:2: cannot be loaded: Expression expected`,
    `${path}/throws.ts:2:7: throws when it is loaded: RangeError: not today`,
    `${path}/unnamed.ts:1: cannot be loaded: The requested module './a.ts' does not provide an export named 'nothing'`,
    `${path}/upstream.ts:3:18: throws when it is loaded: TypeError: the upstream 'Bad Name' needs a name`,
    `${path}/zod3.ts:3:20: throws when it is loaded: TypeError: aggregate 'old': its query schema is not a zod 4 schema`,
    `${folder}/nothing.ts: exports no aggregate`,
    `${folder}: no module in it exports an aggregate`,
    `${path}/b.ts: two aggregates have the name 'same', export 'words' here and export 'words' in ${path}/a.ts: rename one of them`,
    `${path}/c.ts: two aggregates answer GET /other, export 'words' here and export 'words' in ${path}/b.ts: change one of the urls`,
  ]
  for (const words of expected)
    t.ok(
      faults.some(fault => fault.startsWith(words)),
      words,
    )
  t.equal(faults.length, expected.length, faults.join('\n'))
})

test('two aggregates that programs would call the same are refused before they are served', async t => {
  const { path } = definitionsFolder(t, {
    'a.ts': words(origin, { name: 'top-1' }),
    'b.ts': words(origin, { name: 'top1' }),
  })
  t.same(await faultsOf(t, path), [
    `${path}/b.ts: the aggregates 'top-1' and 'top1' have the operationId 'top1', ` +
      `export 'words' here and export 'words' in ${path}/a.ts: rename one of them`,
  ])
})

test('two aggregates whose templates match the same requests are refused before they are served', async t => {
  const { path } = definitionsFolder(t, {
    'a.ts': words(origin, { name: 'one', url: '/caf%C3%A9' }),
    'b.ts': words(origin, { name: 'other', url: '/caf%c3%a9' }),
    'c.ts': words(origin, { name: 'third', url: '/caf' }),
  })
  t.same(await faultsOf(t, path), [
    `${path}/b.ts: two aggregates match the same GET requests, /caf%c3%a9 and /caf%C3%A9, ` +
      `export 'words' here and export 'words' in ${path}/a.ts: change one of the urls`,
  ])
})

test('a file without aggregates in a folder is not a fault of the folder', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': words(origin), 'shapes.ts': 'export const one = 1' })
  t.equal((await loaderOf(t, path).load()).aggregates.length, 1)
  t.match(await faultsOf(t, path, join(path, 'shapes.ts')), [`${path}/shapes.ts: exports no aggregate`])
})

test('load() again gives what the files and their imports say now, and the definitions of the first load stay as they were', async t => {
  const lib = definitionsFolder(t, { 'before.ts': "export const before = 'one '" })
  const { path } = definitionsFolder(t, {
    'words.ts': words(origin)
      .replace('import { z }', `import { before } from '${lib.path}/before.ts'\nimport { z }`)
      .replace("word: '' +", 'word: before +'),
  })
  const loader = loaderOf(t, path)
  const first = await wordOf(loader)
  lib.write('before.ts', "export const before = 'two '")
  const second = await wordOf(loader)
  t.same(await second(), { word: 'two cat' })
  t.same(await first(), { word: 'one cat' })
  t.ok(loader.folders().has(lib.path), 'where a file is imported from is to be watched')
})

test('changed() is true after a loaded file or its folder has changed, and false after a change of any other file', async t => {
  const lib = definitionsFolder(t, { 'before.ts': "export const before = 'one '", 'other.ts': '' })
  const { path, write } = definitionsFolder(t, { 'words.ts': `${words(origin)}import '${lib.path}/before.ts'` })
  const loader = loaderOf(t, path)
  await loader.load()
  t.equal(loader.changed(), false)
  for (const [what, change, counts] of [
    ['one that is imported', () => lib.write('before.ts', "export const before = 'other'"), true],
    ['one beside it', () => lib.write('other.ts', 'export {}'), false],
    ['one of the folder', () => write('words.ts', `${words(origin)}import '${lib.path}/before.ts' //`), true],
    ['a new one', () => write('new.ts', 'export {}'), true],
    ['one that is no definition', () => write('read.me', 'words'), false],
    ['one that is gone', () => rmSync(join(path, 'new.ts')), true],
  ] as const) {
    change()
    t.equal(loader.changed(), counts, what)
    await loader.load()
    t.equal(loader.changed(), false)
  }
  write('words.ts', 'throw new Error("no")')
  await failure(loader.load())
  t.equal(loader.changed(), false, 'a faulty load is one too')
})

test('load() again reads CommonJS files again', async t => {
  const { path, write } = definitionsFolder(t, {
    'common.js':
      'const { aggregate } = require("headwaters"); const { z } = require("zod"); const { name } = require("./name.js"); ' +
      'exports.common = aggregate(name, { url: "/common" }).reply(z.object({}), () => ({}))',
    'name.js': 'exports.name = "one"',
  })
  const loader = loaderOf(t, path)
  t.same(
    (await loader.load()).aggregates.map(({ name }) => name),
    ['one'],
  )
  write('name.js', 'exports.name = "two"')
  t.same(
    (await loader.load()).aggregates.map(({ name }) => name),
    ['two'],
  )
})

test('a load after a faulty one loads what was mended', async t => {
  const { path, write } = definitionsFolder(t, { 'words.ts': 'throw new Error("no")' })
  const loader = loaderOf(t, path)
  t.type(await failure(loader.load()), DefinitionsError)
  write('words.ts', words(origin))
  t.equal((await loader.load()).aggregates.length, 1)
})

test('a file that is missing when it is loaded is named itself, not the file of Headwaters that loads it', async t => {
  const { path } = definitionsFolder(t, {
    'all.ts': words(origin),
    'hooks/listener.ts': "import './part.ts'\nexport default () => {}",
    'hooks/part.ts': '',
    'gone.ts': 'export const work = () => 1',
    // The file is removed after the declaration of the function has checked it.
    'offloads.ts': `
      import { rmSync } from 'node:fs'
      import { offload } from 'headwaters'
      const url = new URL('./gone.ts', import.meta.url)
      export const work: unknown = offload(url, 'work')
      rmSync(url)
    `,
  })
  const fix = 'no such file: restore it, or name another file'
  const loading = (events: string) => {
    const loader = createLoader([join(path, 'all.ts')], join(path, events))
    t.teardown(loader.close)
    return loader
  }
  await t.rejects(loading('none.ts').load(), { message: `${path}/none.ts: ${fix}` })
  await t.rejects(loading('hooks').load(), { message: `${path}/hooks: is a folder: name one file` })
  t.match(await faultsOf(t, join(path, 'offloads.ts')), [/exports no aggregate/, `${path}/gone.ts: ${fix}`])
  const loader = loading('hooks/listener.ts')
  await loader.load()
  rmSync(join(path, 'hooks/part.ts'))
  const missing = `${path}/hooks/listener.ts: cannot be loaded: Cannot find module '${path}/hooks/part.ts'`
  await t.rejects(loader.load(), { message: missing })
  rmSync(join(path, 'hooks/listener.ts'))
  await t.rejects(loader.load(), { message: `${path}/hooks/listener.ts: ${fix}` })
})
