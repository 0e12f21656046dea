import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { root } from './document.ts'

interface Ended {
  readonly code: number
  readonly output: string
}

/** Runs a program of Node.js; its output is that of both streams. */
export function run(file: string, ...options: readonly string[]): Promise<Ended> {
  return new Promise(done => {
    execFile(process.execPath, [file, ...options], { cwd: root, env: childEnvironment }, (error, stdout, stderr) =>
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

/**
 * Makes a client of a document, as YAML or JSON, with a public generator, and compiles it with a program that uses it. Returns the path of
 * the compiled program.
 */
export async function compiledProgram(t: Test, document: string, program: string): Promise<string> {
  const folder = t.testdir({
    'package.json': '{ "type": "module" }',
    'tsconfig.json': settings,
    'program.ts': program,
    'document.yaml': document,
  })
  const generated = await run(
    join(root, 'node_modules/swagger-typescript-api/dist/cli.mjs'),
    'generate',
    '--path',
    join(folder, 'document.yaml'),
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
  return join(folder, 'out/program.js')
}
