import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Test } from 'tap'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { root } from './document.ts'

export interface Lint {
  readonly totals: { readonly errors: number; readonly warnings: number }
  readonly problems: readonly {
    readonly ruleId: string
    readonly message: string
    readonly location: readonly { readonly pointer?: string }[]
  }[]
}

/** What a public linter finds in a document, by its recommended rules. */
export function lint(t: Test, file: string): Promise<Lint> {
  return new Promise(done => {
    const command = [
      join(root, 'node_modules/@redocly/cli/bin/cli.js'),
      'lint',
      file,
      '--extends=recommended',
      '--format=json',
    ]
    const env = {
      ...childEnvironment,
      PATH: '',
      HOME: t.testdirName,
      REDOCLY_TELEMETRY: 'off',
      REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    }
    execFile(process.execPath, command, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) =>
      done(JSON.parse(stdout) as Lint),
    )
  })
}
