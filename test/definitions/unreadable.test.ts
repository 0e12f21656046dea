import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import type { DefinitionFault } from '../../src/definitions/definitions-error.ts'
import { findFiles, foldersIn } from '../../src/definitions/find-files.ts'
import { foldersTo } from '../../src/definitions/folders-to.ts'
import { createLoader } from '../../src/definitions/loader.ts'
import { watch } from '../../src/definitions/watch.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { asOrdinaryUser, becomeOrdinaryUser } from '../helpers/ordinary-user.ts'

const named = (name: string) => `
import { aggregate } from 'headwaters'
import { z } from 'zod'
export const all: unknown = aggregate('${name}', { url: '/${name}' }).reply(z.unknown(), () => true)
`

/** Definitions in a folder and in one below it, which all may read. */
function readable(t: Test) {
  const folder = definitionsFolder(t, { 'defs/one.ts': named('one'), 'defs/sub/two.ts': named('two') })
  chmodSync(folder.path, 0o755)
  return { ...folder, defs: join(folder.path, 'defs'), sub: join(folder.path, 'defs/sub') }
}

test('a folder that cannot be read is a fault of a load, and has no files for a watch', t => {
  const { defs, sub } = readable(t)
  chmodSync(sub, 0)
  const faults: DefinitionFault[] = []
  const found = asOrdinaryUser(() => findFiles([defs], faults))
  t.same(
    found.flatMap(({ files }) => files),
    [join(defs, 'one.ts')],
  )
  t.match(faults, [{ file: sub, reason: 'cannot be read (EACCES): give this process permission to read it' }])
  t.equal(faults.length, 1)
  t.same(
    asOrdinaryUser(() => foldersIn(defs)),
    [defs, sub],
  )
  t.ok(asOrdinaryUser(() => foldersTo(join(sub, 'two.ts'))).has(sub))
  chmodSync(sub, 0o755)
  t.end()
})

test('a named folder that cannot be read or entered is a fault, and its folders are listed', t => {
  const { path, defs } = readable(t)
  chmodSync(defs, 0)
  const faults: DefinitionFault[] = []
  asOrdinaryUser(() => findFiles([defs], faults))
  t.match(faults, [{ file: defs, reason: /^cannot be read \(EACCES\)/ }])
  chmodSync(defs, 0o755)
  chmodSync(path, 0)
  const hidden: DefinitionFault[] = []
  asOrdinaryUser(() => findFiles([defs], hidden))
  t.match(hidden, [{ file: defs, reason: /^cannot be read \(EACCES\)/ }])
  t.same(
    asOrdinaryUser(() => foldersIn(defs)),
    [],
  )
  t.ok(asOrdinaryUser(() => foldersTo(defs)).has(path))
  chmodSync(path, 0o755)
  t.end()
})

for (const { what, at } of [
  { what: 'a folder below', at: 'defs/sub' },
  { what: 'a folder without modules', at: 'defs/empty' },
  { what: 'a module', at: 'defs/one.ts' },
  { what: 'the named folder', at: 'defs' },
  { what: 'the folder above', at: '.' },
])
  test(`a watch goes on when ${what} cannot be read, and reloads when it can`, async t => {
    const { path, defs } = readable(t)
    mkdirSync(join(defs, 'empty'))
    const place = join(path, at)
    const { mode } = statSync(place)
    const loader = createLoader([defs])
    const load = () =>
      loader.load().then(
        ({ aggregates }) => aggregates.map(({ name }) => name).join(),
        (error: Error) => error.message,
      )
    t.equal(await load(), 'one,two')
    let outcome = Promise.withResolvers<string>()
    const stop = watch(
      loader,
      async () => outcome.resolve(await load()),
      error => {
        t.error(error)
      },
    )
    t.teardown(() => {
      stop()
      loader.close()
    })
    chmodSync(place, 0)
    const becomeSuperuser = becomeOrdinaryUser(t)
    t.match(await outcome.promise, 'EACCES')
    becomeSuperuser()
    outcome = Promise.withResolvers()
    chmodSync(place, mode)
    t.equal(await outcome.promise, 'one,two')
  })

test('a fault of a check is reported, and the next change is seen', async t => {
  const { path, write } = definitionsFolder(t, {})
  const fault = new Error('no')
  const reported = Promise.withResolvers<unknown>()
  const reloaded = Promise.withResolvers<void>()
  let checks = 0
  const stop = watch(
    {
      folders: () => new Set([path]),
      changed() {
        checks++
        if (checks === 1) throw fault
        return checks === 2
      },
    },
    async () => reloaded.resolve(),
    reported.resolve,
  )
  t.teardown(stop)
  t.equal(await reported.promise, fault)
  write('one.ts', '')
  await reloaded.promise
})
