import { join } from 'node:path'
import { test } from 'tap'
import { RemoteFiles } from '../../src/definitions/files-state.ts'
import { createLoader } from '../../src/definitions/loader.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'

test('the files of a loader can be followed without loading them', async t => {
  const { path, write } = definitionsFolder(t, {
    'defs/words.ts': `import '../lib/other.ts'\n${words('http://127.0.0.1:9')}`,
    'lib/other.ts': 'export {}',
  })
  const paths = [join(path, 'defs')]
  const loader = createLoader(paths)
  t.teardown(() => loader.close())
  await loader.load()
  const sent = () => JSON.parse(JSON.stringify(loader.files()))
  const files = new RemoteFiles(paths, sent())
  t.equal(files.changed(), false)
  t.same(new Set(files.folders()), new Set(loader.folders()))

  for (const [file, text] of [
    ['lib/other.ts', 'export const changed = 1'],
    ['defs/more.ts', words('http://127.0.0.1:9', { name: 'more' }).replaceAll('word-source', 'more-source')],
  ] as const) {
    write(file, text)
    t.equal(files.changed(), true, file)
    files.renew()
    t.equal(files.changed(), false, 'the present state is the state of the next load')
    await loader.load()
    files.follow(sent())
    t.equal(files.changed(), false)
  }
})

test('a file that changed while it was loaded has changed', t => {
  const stamps = [
    ['/a.ts', '1'],
    ['/a.ts', '2'],
  ] as const
  t.equal(new RemoteFiles([], { listed: '[[],[]]', stamps }).changed(), true)
  t.end()
})
