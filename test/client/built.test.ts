import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { compile } from '../helpers/compiled.ts'

const root = join(import.meta.dirname, '../..')

const program = `import { openStream, StreamProblem } from './out/index.js'
export async function show(body: FormData, signal: AbortSignal): Promise<readonly string[]> {
  const stream = openStream<{ readonly facts: readonly string[] }>('/cats', { method: 'POST', body, signal })
  try {
    for await (const event of stream) {
      if (event.event === 'snapshot') document.title = event.data.facts.join()
      if (event.event === 'source') document.title = event.outcome.state
    }
  } catch (error) {
    if (error instanceof StreamProblem && error.retryAfter !== undefined) document.title = String(error.retryAfter + 1)
  }
  return (await stream.reply).body.data.facts
}
`

test('the built client is at most 3 KiB, imports nothing from outside, and its types need those of a browser alone', async t => {
  const folder = t.testdir({
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'tsconfig.build.json'),
      compilerOptions: { outDir: './out', rootDir: join(root, 'src/client'), sourceMap: false },
      include: [join(root, 'src/client')],
    }),
    browser: {
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'esnext',
          moduleResolution: 'bundler',
          target: 'es2022',
          lib: ['es2022', 'dom', 'dom.iterable'],
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
        },
        include: ['../program.ts'],
      }),
    },
    'program.ts': program,
  })
  t.strictSame(await compile(folder), { code: 0, output: '' })
  t.strictSame(await compile(join(folder, 'browser')), { code: 0, output: '' })
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
