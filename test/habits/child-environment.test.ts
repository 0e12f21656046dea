import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'

/** Runs a module twice with the environment of children, and returns the cache of its modules after each run. */
async function cachesOf(file: string): Promise<string[]> {
  const folders: string[] = []
  for (let times = 0; times < 2; times++) {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env: childEnvironment })
    folders.push(stdout.trim())
  }
  return folders
}

test('a process of a test stores its compiled modules, and has the path and no coverage', async t => {
  const folder = t.testdir({
    'module.mts': "import { getCompileCacheDir } from 'node:module'\nconsole.log(getCompileCacheDir() as string)\n",
  })
  const [first = '', second] = await cachesOf(join(folder, 'module.mts'))
  t.match(first, /node_modules.\.cache.headwaters.compiled/)
  t.equal(second, first)
  t.ok(existsSync(first) && readdirSync(first).length > 0)
  t.equal(childEnvironment['PATH'], process.env['PATH'])
  t.equal(childEnvironment['_TAPJS_PROCESSINFO_COVERAGE_'], '0', 'the variable by which tap measures a process')
})
