import { join } from 'node:path'
import { test, type Test } from 'tap'
import { createLoader } from '../../src/definitions/loader.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { failure } from '../helpers/failure.ts'

const source = words('http://127.0.0.1:9')
const waiting = `await new Promise(() => {})\n${source}`

/** Loads some files, each of which has a short time for its evaluation. */
function arrange(t: Test, files: Readonly<Record<string, string>>) {
  const { path, write } = definitionsFolder(t, files)
  const loader = createLoader([join(path, 'defs')], undefined, 300)
  t.teardown(loader.close)
  return { write, load: loader.load, faults: async () => ((await failure(loader.load())) as Error).message }
}

test('a file that waits at its top level without end is a fault that ends the load, and a later load is not affected', async t => {
  const { write, load, faults } = arrange(t, { 'defs/a.ts': source, 'defs/z.ts': 'export {}' })
  const first = await load()
  write('defs/a.ts', waiting)
  const reason = 'did not end its evaluation in 0.3 s: check await at its top level and in its imports'
  t.match(await faults(), new RegExp(String.raw`^\S+/defs/a\.ts: ${reason}$`))
  t.match(await faults(), reason, 'the same files are evaluated again')
  write('defs/a.ts', source.replaceAll('words', 'others'))
  const { aggregates, evaluated } = await load()
  t.not(aggregates[0], first.aggregates[0])
  t.equal(aggregates[0]?.name, 'others')
  t.match(evaluated, [/a\.ts$/])
})

test('an import that waits without end is a fault of the file that Headwaters loads', async t => {
  const { write, load, faults } = arrange(t, {
    'defs/a.ts': `import '../lib/b.ts'\n${source}`,
    'lib/b.ts': 'await new Promise(() => {})',
  })
  t.match(await faults(), /defs\/a\.ts: did not end its evaluation/)
  write('lib/b.ts', 'export {}')
  t.equal((await load()).aggregates.length, 1)
})
