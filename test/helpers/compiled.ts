import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { childEnvironment } from './child-environment.ts'

const root = resolve(import.meta.dirname, '../..')

/** Runs the compiler over a folder with a tsconfig.json; its output has one error a line. */
export function compile(folder: string): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise(done => {
    execFile(
      process.execPath,
      [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', folder, '--pretty', 'false'],
      { cwd: root, env: childEnvironment },
      (error, stdout, stderr) => {
        done({ code: Number(error?.code ?? 0), output: stdout + stderr })
      },
    )
  })
}

/** A project of these files; copies import what they copied by absolute path, which nothing rewrites. */
export function project(files: readonly string[]): string {
  return JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: { rewriteRelativeImportExtensions: false },
    files,
    include: [],
  })
}

/** The text of a file that can be compiled in another folder. */
export function copyOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(
    /from '(\.[^']*)'/g,
    (_, path: string) => `from '${resolve(dirname(file), path)}'`,
  )
}

/** The text without its comments `@ts-expect-error`, so that the compiler prints its errors. */
export function withErrors(text: string): string {
  return text.replaceAll(/^\s*\/\/ @ts-expect-error.*\n/gm, '')
}
