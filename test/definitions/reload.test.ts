import { renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test, type Test } from 'tap'
import { createLoader, type Definitions } from '../../src/definitions/loader.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { failure } from '../helpers/failure.ts'

const head = "import { aggregate, defineUpstream } from 'headwaters'\nimport { z } from 'zod'\n"

/** A module with one aggregate; its name is an expression. */
const named = (name: string, code = '') => `${head}${code}
export const all: unknown = aggregate(${name}, { url: '/' + ${name} }).reply(z.object({}), () => ({}))
`

/** Loads the folder `defs` of some files. */
function reloading(t: Test, files: Readonly<Record<string, string>>) {
  const { path, write } = definitionsFolder(t, { 'package.json': '{}', ...files })
  const loader = createLoader([join(path, 'defs')])
  t.teardown(loader.close)
  return { path, write, loader, load: loader.load }
}

const evaluatedIn = ({ evaluated }: Definitions) => evaluated.map(file => basename(file))
const namesIn = ({ aggregates }: Definitions) => aggregates.map(({ name }) => name)
const upstreamsIn = ({ specs }: Definitions) => specs.map(({ name }) => name)

test('the aggregates and upstreams of files that did not change are the same objects after a reload', async t => {
  const { write, load } = reloading(t, {
    'defs/a.ts': named("'a'", "defineUpstream('up-a', { origin: 'http://127.0.0.1:9' }, {})"),
    'defs/b.ts': named("'b'", "import { name } from '../lib/name.ts'"),
    'lib/name.ts': "export const name = 'one'",
  })
  const first = await load()
  t.same(evaluatedIn(first), ['a.ts', 'name.ts', 'b.ts'])
  t.same(evaluatedIn(await load()), [], 'nothing has changed')
  write('lib/name.ts', "export const name = 'second'")
  write('defs/b.ts', named('name', "import { name } from '../lib/name.ts'"))
  const second = await load()
  t.same(evaluatedIn(second), ['name.ts', 'b.ts'])
  t.equal(second.aggregates[0], first.aggregates[0])
  t.equal(second.specs[0], first.specs[0])
  t.not(second.aggregates[1], first.aggregates[1])
})

test('an upstream belongs to the module whose evaluation declares it, not to the module of a function between', async t => {
  const { write, load, path } = reloading(t, {
    'defs/a.ts': named(
      "'a'",
      "import { make, later } from '../lib/make.ts'\n;['one'].forEach(name => make(name))\nawait later('two')",
    ),
    'defs/b.ts': named("'b'", "import { make } from '../lib/make.ts'\nmake('three')"),
    'lib/make.ts': `${head}
      export function make(name: string) { defineUpstream(name, { origin: 'http://127.0.0.1:9' }, {}) }
      export async function later(name: string) { await new Promise(resolve => setImmediate(resolve)); make(name) }`,
  })
  t.same(upstreamsIn(await load()), ['one', 'two', 'three'])
  write('defs/a.ts', named("'a'", "import { make } from '../lib/make.ts'\nmake('four')"))
  const second = await load()
  t.same(upstreamsIn(second), ['four', 'three'])
  t.same(second.upstreams, ['one', 'two', 'three', 'four'], 'overrides of earlier upstreams are accepted')
  rmSync(join(path, 'defs/a.ts'))
  t.same(upstreamsIn(await load()), ['three'])
})

test('the upstreams of a package stay, because Node.js evaluates a package once', async t => {
  const { write, load } = reloading(t, {
    'defs/a.ts': named("'a'", "import 'declares'"),
    'node_modules/declares/package.json': '{ "type": "module", "exports": "./index.js" }',
    'node_modules/declares/index.js':
      "import { defineUpstream } from 'headwaters'\ndefineUpstream('packed', { origin: 'http://127.0.0.1:9' }, {})",
  })
  t.same(upstreamsIn(await load()), ['packed'])
  write('defs/a.ts', named("'a-2'", "import 'declares'"))
  t.same(upstreamsIn(await load()), ['packed'])
})

test('an upstream that a replaced module declares during a load is not part of it', async t => {
  const { write, load } = reloading(t, {
    'defs/a.ts': named(
      "'a'",
      `;(globalThis as any).declareLater = (done: () => void) =>
         setImmediate(() => { defineUpstream('late', { origin: 'http://127.0.0.1:9' }, {}); done() })`,
    ),
  })
  await load()
  write('defs/a.ts', named("'a'", 'await new Promise<void>(done => { (globalThis as any).declareLater(done) })'))
  t.same(upstreamsIn(await load()), [])
})

test('CommonJS files and their importers are evaluated again, also those that use createRequire', async t => {
  const requiring = (name: string) =>
    named(
      `require('../lib/name.js').name + '${name}'`,
      "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n" +
        "try { require('../lib/none.js') } catch {}",
    )
  const { write, load } = reloading(t, {
    'defs/a.ts': requiring('-a'),
    'defs/b.ts': requiring('-b'),
    'defs/c.js': "exports.list = [require('../lib/name.js').name, require('fs').sep]",
    'defs/d.ts': named("'d'"),
    'lib/name.js': "exports.name = require('./part.json')",
    'lib/part.json': '"one"',
  })
  t.same(namesIn(await load()), ['one-a', 'one-b', 'd'])
  write('lib/part.json', '"other"')
  const second = await load()
  t.same(namesIn(second), ['other-a', 'other-b', 'd'])
  t.same(evaluatedIn(second), ['part.json', 'name.js', 'a.ts', 'b.ts', 'c.js'])
  write('lib/none.js', '')
  t.same(evaluatedIn(await load()), ['none.js', 'a.ts', 'b.ts'])
})

test('a load after a faulty one evaluates what the faulty one evaluated, and nothing that the last good one did', async t => {
  const { write, load } = reloading(t, {
    'defs/a.ts': named('name', "import { name } from '../lib/name.js'"),
    'defs/b.ts': named("'b'", "import { name } from '../lib/name.js'"),
    'defs/c.ts': named("'c'"),
    'lib/name.js': "exports.name = 'one'",
  })
  const first = await load()
  write('lib/name.js', "exports.name = 'second'")
  write('defs/b.ts', "throw new Error('no')")
  t.match(await failure(load()), { message: /defs\/b\.ts:1:7: throws when it is loaded: Error: no/ })
  t.match(
    await failure(load()),
    { message: /defs\/b\.ts:1:7: throws when it is loaded: Error: no/ },
    'it is still faulty',
  )
  write('defs/b.ts', named("'b-2'", "import { name } from '../lib/name.js'"))
  const second = await load()
  t.same(namesIn(second), ['second', 'b-2', 'c'])
  t.same(evaluatedIn(second), ['name.js', 'a.ts', 'b.ts'])
  t.equal(second.aggregates[2], first.aggregates[2])
})

test('a faulty change that is taken back leaves the modules from before', async t => {
  const { path, write, load } = reloading(t, {
    'defs/a.ts': named('name', "import { name } from '../lib/name.js'"),
    'lib/name.js': "exports.name = 'one'",
  })
  const first = await load()
  renameSync(join(path, 'lib/name.js'), join(path, 'lib/kept.js'))
  write('lib/name.js', "exports.name = 'Not A Name'")
  await failure(load())
  // The file itself comes back, with its time of change.
  renameSync(join(path, 'lib/kept.js'), join(path, 'lib/name.js'))
  const again = await load()
  t.same(evaluatedIn(again), [])
  t.equal(again.aggregates[0], first.aggregates[0])
  write('defs/b.ts', named("name + '-b'", "import { name } from '../lib/name.js'"))
  t.same(namesIn(await load()), ['one', 'one-b'], 'the CommonJS module is that of the good load')
})

test('a module that handles a missing import is evaluated again when the file appears', async t => {
  const { write, load, loader } = reloading(t, {
    'defs/a.ts': named(
      'name',
      "let name = 'none'\ntry { ({ name } = await import('../lib/name.ts' as string)) } catch {}",
    ),
  })
  t.same(namesIn(await load()), ['none'])
  write('lib/name.ts', "export const name = 'one'")
  t.equal(loader.changed(), true)
  t.same(namesIn(await load()), ['one'])
})

test('a symbolic link that gets another target renews its importers, and no other file', async t => {
  const { path, load } = reloading(t, {
    'defs/a.ts': named('name', "import { name } from '../lib/name.ts'"),
    'defs/b.ts': named("'b'"),
    'one/name.ts': "export const name = 'one'",
    'two/name.ts': "export const name = 'two'",
  })
  symlinkSync('one', join(path, 'lib'))
  t.same(namesIn(await load()), ['one', 'b'])
  symlinkSync('two', join(path, 'next'))
  renameSync(join(path, 'next'), join(path, 'lib'))
  const second = await load()
  t.same(namesIn(second), ['two', 'b'])
  t.same(evaluatedIn(second), ['name.ts', 'a.ts'])
})

test('a file that changes during a load is a change afterwards, and the next load evaluates it', async t => {
  const { path, load, loader } = reloading(t, {
    'defs/a.ts': named(
      'name',
      `import { name } from '../lib/name.ts'
       import { writeFileSync } from 'node:fs'
       if (name === 'one') writeFileSync(import.meta.dirname + '/../lib/name.ts', "export const name = 'second'")`,
    ),
    'lib/name.ts': "export const name = 'one'",
  })
  t.same(namesIn(await load()), ['one'])
  t.equal(loader.changed(), true)
  const second = await load()
  t.same(namesIn(second), ['second'])
  t.same(evaluatedIn(second), ['name.ts', 'a.ts'])
  t.equal(loader.changed(), false)
  rmSync(join(path, 'lib/name.ts'))
  t.equal(loader.changed(), true)
})

test('modules of a cycle are renewed together', async t => {
  const { write, load } = reloading(t, {
    'defs/a.ts': named("'a-' + nameOfB()", "import { nameOfB } from '../lib/b.ts'\nexport const nameOfA = () => 'a'"),
    'lib/b.ts':
      "import { nameOfA } from '../defs/a.ts'\nexport function nameOfB() { return 'one' }\nexport { nameOfA }",
    'defs/c.ts': named("'c'"),
  })
  t.same(namesIn(await load()), ['a-one', 'c'])
  write(
    'lib/b.ts',
    "import { nameOfA } from '../defs/a.ts'\nexport function nameOfB() { return 'second' }\nexport { nameOfA }",
  )
  const second = await load()
  t.same(namesIn(second), ['a-second', 'c'])
  t.same(evaluatedIn(second), ['b.ts', 'a.ts'])
})

test('a file that is imported later is renewed with its importer, and a replaced module imports the current files', async t => {
  const lazy =
    "export const lazy = () => import('../lib/name.ts')\n;(globalThis as any).lazies ??= []\n;(globalThis as any).lazies.push(lazy)"
  const { write, load, loader } = reloading(t, {
    'defs/a.ts': named("'a'", lazy),
    'lib/name.ts': "export const name = 'one'",
  })
  const { lazies } = Object.assign(globalThis, { lazies: [] as (() => Promise<{ readonly name: string }>)[] })
  await load()
  t.equal((await lazies[0]?.())?.name, 'one')
  t.equal(loader.changed(), false)
  write('lib/name.ts', "export const name = 'second'")
  t.same(evaluatedIn(await load()), ['a.ts'], 'the file is imported when it is needed')
  t.equal((await lazies[1]?.())?.name, 'second')
  t.equal((await lazies[0]?.())?.name, 'second')
  write('defs/a.ts', named("'a'"))
  t.same(evaluatedIn(await load()), ['a.ts'])
  t.equal((await lazies[1]?.())?.name, 'second')
  write('lib/name.ts', "export const name = 'a third name'")
  t.same(evaluatedIn(await load()), [], 'the file is not in use')
})
