import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { serveApp } from '../helpers/served-app.ts'
import { committed, operations, root } from './helpers/document.ts'

interface Ended {
  readonly code: number
  readonly output: string
}

/** Runs a program of Node.js; its output is that of both streams. */
function run(file: string, ...options: readonly string[]): Promise<Ended> {
  return new Promise(done => {
    execFile(process.execPath, [file, ...options], { cwd: root }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })
}

const settings = JSON.stringify({
  compilerOptions: {
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024', 'dom', 'dom.iterable'],
    types: ['node'],
    skipLibCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: '.',
    outDir: 'out',
    noEmitOnError: true,
  },
  files: ['program.ts'],
})

test(
  'a client that a public generator makes of openapi.yaml compiles and calls every operation',
  { timeout: 120_000 },
  async t => {
    const folder = t.testdir({
      'package.json': '{ "type": "module" }',
      'tsconfig.json': settings,
      'program.ts': readFileSync(join(import.meta.dirname, 'client-program.ts.txt'), 'utf8'),
    })
    const generated = await run(
      join(root, 'node_modules/swagger-typescript-api/dist/cli.mjs'),
      'generate',
      '--path',
      'openapi.yaml',
      '--output',
      folder,
      '--name',
      'client.ts',
      '--generate-union-enums',
      '--silent',
    )
    t.equal(generated.code, 0, generated.output)

    // The generator asks the compiler to look away; it is to look.
    const client = join(folder, 'client.ts')
    const source = readFileSync(client, 'utf8')
    t.match(source, '// @ts-nocheck')
    writeFileSync(client, source.replace('// @ts-nocheck', ''))
    t.same(await run(join(root, 'node_modules/typescript/lib/tsc.js'), '-p', folder, '--pretty', 'false'), {
      code: 0,
      output: '',
    })

    const { origin } = await serveApp(t)
    const { code, output } = await run(join(folder, 'out/program.js'), origin)
    t.equal(code, 0, output)
    const told = JSON.parse(output) as Record<string, unknown>
    const ids = operations(committed()).map(({ operation }) => operation.operationId)
    t.same(
      ids.filter(id => !(id in told)),
      [],
      'every operation is called',
    )
    t.same(told, {
      catFacts: [true, true, true, 'status 200', 0],
      breed: ['Siamese', 'https://en.wikipedia.org/wiki/Siamese_cat', ['siam'], 'ok'],
      postcard: ['Hello!', true, true, 'ok'],
      healthLive: 'live',
      healthReady: 'ready',
      refused: [404, 'REFUSED', 'No breed has this name.', 'matches ok'],
      faulty: ['/query/count'],
    })
  },
)
