import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { programMissing } from '../ops/helpers/program-missing.ts'

// Only root may create a namespace of process ids without a namespace of users.
const users = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
const isolate = [...users, '--pid', '--fork', '--kill-child']
const skip = programMissing('unshare', [...isolate, 'true'], 'util-linux')

test('process 1 of a container ends on SIGTERM while it starts', { skip }, async t => {
  for (const flags of [[], ['--workers', '2']]) {
    const upstream = await rawUpstream(t, () => {})
    const { path } = definitionsFolder(t, {
      'words.ts': `await fetch('${upstream.origin}/wait')\n${words(upstream.origin)}`,
    })
    const args = [...isolate, process.execPath, 'src/cli.ts', 'serve', path, ...flags]
    const unshare = spawn('unshare', args, {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...childEnvironment, PORT: '0', HOST: '127.0.0.1' },
      stdio: 'ignore',
    })
    t.teardown(() => unshare.kill('SIGKILL'))
    const ended = once(unshare, 'exit')
    await upstream.asked(1)
    const [first = ''] = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').split(' ')
    process.kill(Number(first), 'SIGTERM')
    t.same(await ended, [0, null])
  }
})
