import { spawnSync } from 'node:child_process'
import { test } from 'tap'

/** Runs the bench with one short round. */
function run(...options: readonly string[]) {
  return spawnSync(process.execPath, ['bench/micro/params.ts', '--rounds', '1', ...options], { encoding: 'utf8' })
}

test('the bench of parameters prints a row per piece and succeeds below its limit', t => {
  const { status, stdout, stderr } = run('--limit', '1000')
  t.equal(status, 0, stderr)
  t.match(stdout, /\d µs {2}call with a path parameter\n/)
  t.match(stdout, /\d µs {2}request with a path parameter and a query of three fields\n/)
  t.match(stdout, /\d µs {2}path and query of a call, of at most 1000 µs\n$/)
  t.end()
})

test('the bench of parameters fails above its limit', t => {
  const { status, stdout } = run('--limit', '0')
  t.equal(status, 1, stdout)
  t.end()
})
