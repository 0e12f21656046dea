import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'

test('files are checked at intervals while the system allows no watcher, and the limit is reported once', t => {
  const args = ['-c', 'ulimit -n 64; exec "$0" "$1"', process.execPath, join(import.meta.dirname, 'helpers/poll.ts')]
  t.equal(execFileSync('sh', args, { encoding: 'utf8', env: childEnvironment }), 'EMFILE 20\nreload\n')
  t.end()
})
