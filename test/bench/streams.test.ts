import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'

const run = promisify(execFile)
const bench = join(import.meta.dirname, '../../bench/micro/streams.ts')

test('the bench of streams prints the time of each kind of event, and refuses a number of rounds that is not an integer', async t => {
  // The exit code depends on the speed of the machine.
  const { stdout } = await run(process.execPath, [bench, '--rounds', '1']).catch((error: { stdout: string }) => error)
  const names = stdout.split('\n').flatMap(line => /^ *-?\d+\.\d\d µs {2}(.+)$/.exec(line)?.[1] ?? [])
  t.same(names, [
    'a stream of one source instead of the plain reply',
    'an item event, of at most 10 µs',
    'a source event, of at most 10 µs',
    'a snapshot of 100 bytes',
    'a snapshot of 9 KB',
  ])
  await t.rejects(run(process.execPath, [bench, '--rounds', '0']), /--rounds must be a positive integer, got '0'/)
})
