import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** The folders of `test` that are searched. */
const rooms = ['commands', 'core', 'fanout', 'log', 'upstream']

/** Modules of Node.js and of packages that reach the network, files, processes or a terminal. */
const outside =
  /^(?:node:)?(?:child_process|cluster|dns|fs|http2?|https|net|os|perf_hooks|process|tls|tty|worker_threads)\b|^(?:fastify|undici|playwright-core)$/

/** Modules of src that open sockets or start threads by themselves. */
const opening = /^src\/(?:app|cli|demo-upstreams|server|testing|threads|commands\/(?!load\/|run\/))/

/**
 * Returns the tests that run on every operating system. These tests and the test helpers that they import do not use
 * the network, files, processes or a terminal.
 *
 * @returns The paths of the test files, relative to the root of the checkout and sorted within each folder.
 */
export function pureTests(): string[] {
  const known = new Map<string, boolean>()
  const isPure = (file: string): boolean => {
    const seen = known.get(file)
    if (seen !== undefined) return seen
    known.set(file, true) // ends the recursion in a cycle of imports
    const pure = importsOf(file).every(target =>
      target.startsWith('test/') ? isPure(target) : !outside.test(target) && !opening.test(target),
    )
    known.set(file, pure)
    return pure
  }
  return rooms.flatMap(room =>
    readdirSync(join(root, 'test', room), { recursive: true, encoding: 'utf8' })
      .map(name => `test/${room}/${name.replaceAll('\\', '/')}`)
      .filter(file => file.endsWith('.test.ts'))
      .sort()
      .filter(isPure),
  )
}

/** Returns the imports of a file without type imports: paths from the root for files, names for packages. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return Array.from(
    text.matchAll(/^(?:import|export)\s(?!type\b)[^'"]*?\bfrom\s+['"]([^'"]+)['"]/gm),
    ([, name = '']) => (name.startsWith('.') ? join(dirname(file), name).replaceAll('\\', '/') : name),
  )
}

if (import.meta.main) {
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', ...pureTests()], {
    cwd: root,
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}
