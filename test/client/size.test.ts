import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { compile } from '../helpers/compiled.ts'

const root = join(import.meta.dirname, '../..')

test('the built client has at most 3 KiB when it is compressed, and imports nothing from outside', async t => {
  const folder = t.testdir({
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'tsconfig.build.json'),
      compilerOptions: { outDir: './out', rootDir: join(root, 'src/client'), sourceMap: false },
      include: [join(root, 'src/client')],
    }),
  })
  t.strictSame(await compile(folder), { code: 0, output: '' })
  // The files that a browser loads, from the one that is imported.
  const loaded = new Map<string, string>()
  const load = (name: string) => {
    if (loaded.has(name)) return
    const code = readFileSync(join(folder, 'out', name), 'utf8')
    loaded.set(name, code)
    for (const [, target = ''] of code.matchAll(/^(?:import|export)[^'\n]* from '([^']+)'/gm)) {
      t.match(target, /^\.\/[\w-]+\.js$/)
      load(target)
    }
  }
  load('index.js')
  t.ok(loaded.size > 2, 'the modules that index.js imports are counted')
  const { length } = gzipSync(Array.from(loaded.values()).join('\n'))
  t.ok(length <= 3 * 1024, `${length} bytes`)
  t.comment(`${length} bytes`)
})
