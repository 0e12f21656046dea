import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { childEnvironment } from '../../../helpers/child-environment.ts'

/** Without optimized code, the number of bytes does not depend on when V8 optimizes a function. */
const flags = ['--no-opt', '--no-maglev']

/** The result and the contexts of the closures. An object for the place would need 48 bytes more. */
const mostBytes = 352

test('a lookup of the memory store that finds an entry allocates no place', async t => {
  const program = fileURLToPath(new URL('lookups/program.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program], { env: childEnvironment })
  const bytes = Number(stdout)
  t.ok(bytes > 0 && Math.floor(bytes) <= mostBytes, `${bytes} bytes`)
})
