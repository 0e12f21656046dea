import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { programMissing } from '../ops/helpers/program-missing.ts'

const isolate = ['--user', '--map-root-user']
const skip = programMissing('unshare', [...isolate, 'true'], 'util-linux')

test(
  'files are checked at intervals while the system allows no watcher, and the limit is reported once',
  { skip },
  t => {
    for (const [limit, code] of [
      ['inotify_watches', 'ENOSPC'],
      ['inotify_instances', 'EMFILE'],
    ]) {
      const limited = `echo 0 > /proc/sys/user/max_${limit}; exec "$0" "$@"`
      const args = [...isolate, 'sh', '-c', limited, process.execPath, join(import.meta.dirname, 'helpers/poll.ts')]
      t.equal(execFileSync('unshare', args, { encoding: 'utf8', env: childEnvironment }), `${code} 20\nreload\n`)
    }
    t.end()
  },
)
