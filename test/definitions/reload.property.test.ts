import fc from 'fast-check'
import { join } from 'node:path'
import { test } from 'tap'
import { createLoader, type Definitions } from '../../src/definitions/loader.ts'
import { evaluatedModules, moduleFolder, type ModuleFile, type ModuleFiles } from '../helpers/module-folder.ts'

const names = ['defs/a.ts', 'defs/b.ts', 'lib/c.ts', 'lib/d.ts', 'lib/e.js', 'lib/f.js', 'lib/g.js'] as const

/** Imports of any file. A CommonJS file requires CommonJS files only: Node.js reads a required ES module once. */
const importsFor = (name: string) =>
  fc.subarray(names.filter(other => other !== name && (!name.endsWith('.js') || other.endsWith('.js'))))

type Edit = 'write' | 'break' | 'remove' | 'touch'

const edit = fc.constantFrom(...names).chain(name =>
  fc.record({
    name: fc.constant(name),
    imports: importsFor(name),
    kind: fc.constantFrom<Edit[]>('write', 'touch', 'touch', 'break', 'remove'),
  }),
)

/** Each round changes some files, and then loads the definitions. */
const rounds = fc.array(fc.array(edit, { maxLength: 3 }), { minLength: 1, maxLength: 6 })
const start = fc.tuple(...names.map(name => importsFor(name)))

/** Returns the files that a load reads: those in `defs`, and all that they import. */
function usedFiles(files: ModuleFiles): Set<string> {
  const used = new Set([...files.keys()].filter(name => name.startsWith('defs/')))
  for (const name of used) for (const imported of files.get(name)?.imports ?? []) used.add(imported)
  return used
}

const isLoadable = (files: ModuleFiles) =>
  [...usedFiles(files)].every(name => files.get(name)?.isBroken === false) &&
  [...files.keys()].some(name => name.startsWith('defs/'))

/** Returns the files that are new or differ from those before, and the files that import one of them. */
function expectedFiles(files: ModuleFiles, before: ModuleFiles): Set<string> {
  const usedBefore = usedFiles(before)
  const used = [...usedFiles(files)]
  const expected = new Set(used.filter(name => !usedBefore.has(name) || files.get(name) !== before.get(name)))
  for (const changed of expected)
    for (const name of used) if (files.get(name)?.imports.includes(changed) === true) expected.add(name)
  return expected
}

const shapeOf = ({ aggregates, specs }: Definitions) => ({
  aggregates: aggregates.map(({ name }) => name),
  specs: specs.map(({ name, origin }) => `${name} ${String(origin)}`),
})

test('a reload evaluates the files that changed and their importers, and equals a first load of the same files', async t => {
  await fc.assert(
    fc.asyncProperty(start, rounds, async (imports, edits) => {
      const files = new Map<string, ModuleFile>(
        names.map((name, index) => [name, { version: 0, imports: imports[index] as string[], isBroken: false }]),
      )
      const folder = moduleFolder(t, files)
      const loader = createLoader([join(folder.path, 'defs')])
      try {
        evaluatedModules()
        let before = new Map<string, ModuleFile>()
        let previous: Definitions | undefined
        let version = 0
        for (const round of [[], ...edits]) {
          for (const { name, kind, imports: next } of round) {
            const now = files.get(name)
            if (kind === 'remove') {
              if (now !== undefined) folder.removeModule(name)
              files.delete(name)
              continue
            }
            const changed: ModuleFile = {
              version: ++version,
              imports: kind === 'touch' && now !== undefined ? now.imports : next,
              isBroken: kind === 'break',
            }
            files.set(name, changed)
            folder.writeModule(name, changed)
          }
          const loaded = await loader.load().catch(() => undefined)
          if ((loaded !== undefined) !== isLoadable(files)) throw new Error('the wrong loads fail')
          const evaluated = evaluatedModules()
          if (loaded === undefined) continue
          const expected = [...expectedFiles(files, before)].map(name => join(folder.path, name)).toSorted()
          t.same(evaluated.toSorted(), expected)
          t.same(loaded.evaluated.filter(file => !file.endsWith('none.ts')).toSorted(), expected)
          for (const aggregate of loaded.aggregates) {
            const isNew = expected.some(file =>
              file.endsWith(`/${aggregate.name.replace('defs-', 'defs/').replace('-ts', '.ts')}`),
            )
            t.equal(previous?.aggregates.includes(aggregate) ?? false, !isNew)
          }
          const fresh = moduleFolder(t, files)
          const other = createLoader([join(fresh.path, 'defs')])
          try {
            t.same(shapeOf(loaded), shapeOf(await other.load()))
          } finally {
            other.close()
          }
          for (const name of usedFiles(files)) t.equal(folder.seenBy(name), fresh.seenBy(name), name)
          evaluatedModules()
          before = new Map(files)
          previous = loaded
        }
      } finally {
        loader.close()
      }
    }),
    { numRuns: 12 },
  )
})
