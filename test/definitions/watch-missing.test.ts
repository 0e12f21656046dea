import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { createLoader } from '../../src/definitions/loader.ts'
import { watch } from '../../src/definitions/watch.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'

/** A module with one aggregate; its name is an expression. */
const named = (name: string, imports = '') => `
import { aggregate } from 'headwaters'
import { z } from 'zod'
${imports}
export const all: unknown = aggregate(${name}, { url: '/all', deadline: 100 })
  .required('one', () => 1)
  .reply(z.object({ one: z.number() }), ({ one }) => ({ one }))
`
const importing = (specifier: string, clause = '{ name }') => named('name', `import ${clause} from ${specifier}`)
const exporting = (name: string) => `export const name = '${name}'`

const failed = 'failed'

/** Loads definitions and watches them. */
async function startWatching(t: Test, paths: readonly string[]) {
  const loader = createLoader(paths)
  let waiting: { readonly wanted: string; readonly resolve: () => void } | undefined
  const load = () =>
    loader.load().then(
      ({ aggregates }) => aggregates.map(({ name }) => name).join(),
      () => failed,
    )
  const first = await load()
  const stop = watch(
    loader,
    async () => {
      const outcome = await load()
      if (outcome !== waiting?.wanted) return
      waiting.resolve()
      waiting = undefined
    },
    error => {
      t.error(error)
    },
  )
  t.teardown(() => {
    stop()
    loader.close()
  })
  return {
    first,
    /** Makes a change; resolves after the reload that has the wanted outcome. */
    after: async (change: () => void, wanted: string): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting = { wanted, resolve }
      change()
      await promise
    },
  }
}

for (const { what, file, specifier, content = exporting, clause } of [
  { what: 'a module of the same folder', file: 'defs/name.ts', specifier: "'./name.ts'" },
  { what: 'a module of another folder', file: 'lib/name.ts', specifier: "'../lib/name.ts'" },
  {
    what: 'a module in folders that are missing too',
    file: 'lib/deep/er/name.ts',
    specifier: "'../lib/deep/er/name.ts'",
  },
  { what: 'a module by its name without an extension', file: 'lib/name.ts', specifier: "'../lib/name'" },
  { what: 'a module by the name of its compiled file', file: 'lib/name.ts', specifier: "'../lib/name.js'" },
  {
    what: 'a JSON file',
    file: 'lib/name.json',
    specifier: "'../lib/name.json' with { type: 'json' }",
    content: JSON.stringify,
    clause: 'name',
  },
  {
    what: 'a package.json',
    file: 'lib/package.json',
    specifier: "'../lib/package.json' with { type: 'json' }",
    content: JSON.stringify,
    clause: 'name',
  },
]) {
  test(`${what} that is missing at a reload is loaded when it appears`, async t => {
    const { path, write } = definitionsFolder(t, { 'defs/all.ts': named("'first'") })
    const { first, after } = await startWatching(t, [join(path, 'defs/all.ts')])
    t.equal(first, 'first')
    await after(() => write('defs/all.ts', importing(specifier, clause)), failed)
    await after(() => write(file, content('second')), 'second')
    // A checkout of another branch and back removes the file with its folder, and restores it.
    await after(() => rmSync(join(path, file)), failed)
    if (!file.startsWith('defs')) rmSync(join(path, 'lib'), { recursive: true })
    await after(() => write(file, content('third')), 'third')
    await after(() => write(file, content('fourth')), 'fourth')
  })
}

test('a folder that is removed with its modules and restored is watched again', async t => {
  const { path, write } = definitionsFolder(t, {
    'defs/all.ts': importing("'./lib/name.ts'"),
    'defs/lib/name.ts': exporting('first'),
  })
  const { after } = await startWatching(t, [join(path, 'defs')])
  await after(() => rmSync(join(path, 'defs'), { recursive: true }), failed)
  await after(() => {
    write('defs/lib/name.ts', exporting('second'))
    write('defs/all.ts', importing("'./lib/name.ts'"))
  }, 'second')
  await after(() => write('defs/lib/name.ts', exporting('third')), 'third')
  // Removed and restored within one reload, so that no reload sees it missing.
  await after(() => {
    rmSync(join(path, 'defs'), { recursive: true })
    write('defs/lib/name.ts', exporting('fourth'))
    write('defs/all.ts', importing("'./lib/name.ts'"))
  }, 'fourth')
  await after(() => write('defs/lib/name.ts', exporting('fifth')), 'fifth')
})

test('a folder that is replaced by a rename is watched in its place', async t => {
  const { path, write } = definitionsFolder(t, {
    'defs/all.ts': importing("'./lib/name.ts'"),
    'defs/lib/name.ts': exporting('first'),
    'next/all.ts': importing("'./lib/name.ts'"),
    'next/lib/name.ts': exporting('second'),
  })
  const { after } = await startWatching(t, [join(path, 'defs')])
  await after(() => {
    renameSync(join(path, 'defs'), join(path, 'previous'))
    renameSync(join(path, 'next'), join(path, 'defs'))
  }, 'second')
  await after(() => write('defs/lib/name.ts', exporting('third')), 'third')
})

test('a file that an editor replaces by a rename is loaded, also twice', async t => {
  const { path, write } = definitionsFolder(t, {
    'all.ts': importing("'../name.ts'".replace('../', './')),
    'name.ts': exporting('first'),
  })
  const { after } = await startWatching(t, [join(path, 'all.ts')])
  for (const next of ['second', 'third'])
    await after(() => {
      write('.name.ts.tmp', exporting(next))
      renameSync(join(path, '.name.ts.tmp'), join(path, 'name.ts'))
    }, next)
})

test('a symbolic link that gets another target is followed, wherever it is on the way to a file', async t => {
  const { path, write } = definitionsFolder(t, {
    'one/name.ts': exporting('first'),
    'two/name.ts': exporting('other'),
    'one/all.ts': importing("'../lib/name.ts'"),
    'two/all.ts': importing("'../lib/name'").replace('(name,', "(name + '-all',"),
  })
  const link = (target: string, at: string) => {
    symlinkSync(target, join(path, 'new-link'))
    renameSync(join(path, 'new-link'), join(path, at))
  }
  mkdirSync(join(path, 'named'))
  link('one', 'lib')
  link('one', 'current')
  link('../current/all.ts', 'named/all.ts')
  const { first, after } = await startWatching(t, [join(path, 'named/all.ts')])
  t.equal(first, 'first')
  await after(() => link('two', 'lib'), 'other')
  await after(() => link('two', 'current'), 'other-all')
  await after(() => write('two/name.ts', exporting('again')), 'again-all')
  await after(() => rmSync(join(path, 'lib')), failed)
  await after(() => link('one', 'lib'), 'first-all')
})

test('a package that is missing at a reload is found when it is installed', async t => {
  const { path, write } = definitionsFolder(t, { 'defs/all.ts': named("'first'"), 'package.json': '{}' })
  const { after } = await startWatching(t, [join(path, 'defs')])
  await after(() => write('defs/all.ts', importing("'@some/names/sub'")), failed)
  await after(() => {
    write('node_modules/@some/names/index.js', exporting('second'))
    write('node_modules/@some/names/package.json', '{ "type": "module", "exports": { "./sub": "./index.js" } }')
  }, 'second')
})

test('a module that package.json gives a name is loaded when it appears', async t => {
  const { path, write } = definitionsFolder(t, {
    'package.json': '{ "imports": { "#name": "./lib/name.ts" } }',
    'defs/all.ts': named("'first'"),
  })
  const { after } = await startWatching(t, [join(path, 'defs')])
  await after(() => write('defs/all.ts', importing("'#name'")), failed)
  await after(() => write('lib/name.ts', exporting('second')), 'second')
  await after(() => write('lib/name.ts', exporting('third')), 'third')
})
