import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment } from './child-environment.ts'

const root = join(import.meta.dirname, '../..')

/** The output and the exit code of a program. */
export interface Ended {
  readonly code: number
  readonly output: string
}

/** Runs files of tests with the runner of Node.js. In them, `headwaters` is the sources of this checkout. */
export function runTests(cwd: string, files: readonly string[]): Promise<Ended> {
  const preload = join(root, 'test/helpers/source-package.ts')
  return ended(cwd, ['--import', preload, '--test', '--test-reporter=tap', ...files])
}

/** Checks the types of a project with its own tsconfig.json. In it, `headwaters` is the sources of this checkout. */
export function checkTypes(project: string): Promise<Ended> {
  const paths = {
    headwaters: [join(root, 'src/index.ts')],
    'headwaters/testing': [join(root, 'src/testing/index.ts')],
  }
  const config = join(project, 'tsconfig.checkout.json')
  writeFileSync(config, JSON.stringify({ extends: './tsconfig.json', compilerOptions: { paths } }))
  return ended(project, [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', config, '--pretty', 'false'])
}

async function ended(cwd: string, args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env: childEnvironment })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as {
      readonly code: number
      readonly stdout: string
      readonly stderr: string
    }
    return { code, output: stdout + stderr }
  }
}
