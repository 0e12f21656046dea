import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'

const bench = join(import.meta.dirname, '../../../bench/compare/run.ts')

test('a peer whose tool is missing is left out with a line that says so; without any target the bench fails', async t => {
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>(resolve => {
    execFile(process.execPath, [bench, '--targets', 'go', '--rounds', '1'], { env: { PATH: '' } }, (error, out, err) =>
      resolve({ code: error?.code, stdout: out, stderr: err }),
    )
  })
  t.match(stdout, 'go is left out: ')
  t.match(stderr, 'no target can be measured on this machine')
  t.equal(code, 1)
})
