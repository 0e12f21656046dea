import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import tap, { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { runCommand, startService } from '../helpers/service-process.ts'

tap.setTimeout(120_000)

const modes = [[], ['--watch'], ['--workers', '2']] as const

/** Keeps the stream and the console while it is loaded, and writes 1 MB to each of them for each request. */
const definitions = `
import { aggregate } from 'headwaters'
import { z } from 'zod'

const { stdout } = process
const { log } = console
// A service under test names its port in its first line.
log(JSON.stringify({ level: 30, msg: 'at load, http://127.0.0.1:1' }))
const line = JSON.stringify({ level: 20, msg: 'x'.repeat(980) })
export const much = aggregate('much', { url: '/much' }).reply(z.unknown(), () => {
  for (let count = 0; count < 1000; count++) {
    stdout.write(line + '\\n')
    log(line)
  }
  return true
})
`

for (const flags of modes) {
  const command = ['serve', ...flags].join(' ')
  test(`${command}: a pipe that is not read holds up no definitions that kept stdout and console`, async t => {
    const { path } = definitionsFolder(t, { 'much.mjs': definitions })
    const stdout = join(t.testdir(), 'pipe')
    execFileSync('mkfifo', [stdout])
    // How late the loop of a crowded machine is does not matter here.
    const environment = { MAX_LOOP_DELAY_MS: '0' }
    const { said, readLog, stop, ended } = await startService(t, environment, ['serve', path, ...flags], { stdout })
    await said('serving')
    const { msg } = await said('listening at')
    const origin = msg.slice(msg.indexOf('http://'))
    readLog(false)
    for (let times = 0; times < 12; times++) {
      const { status } = await fetch(`${origin}/much`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(30_000),
      })
      t.equal(status, 200)
    }
    readLog(true)
    t.ok(((await said('log lines lost'))['lost'] as number) > 0)
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
  })

  test(`${command}: what definitions wrote comes before the end by a fault of the configuration`, async t => {
    const text = `console.log('to stdout')\nconsole.error('to stderr')\nprocess.stdout.write('')\n${definitions.replace(/^log\(.*$/m, '')}`
    const { path } = definitionsFolder(t, { 'much.mjs': text })
    const { code, output, errors } = await runCommand(t, ['serve', path, ...flags], { PORT: 'abc' })
    t.equal(code, 2)
    t.equal(output, 'to stdout\n')
    t.match(errors, /^to stderr\nheadwaters: invalid configuration\n {2}PORT: .*\n$/)
  })

  test(`${command}: every fault of the configuration ends the start with 2 and a line on stderr`, async t => {
    const { path } = definitionsFolder(t, { 'much.mjs': definitions.replace(/^log\(.*$/m, '') })
    for (const [environment, expected] of [
      [{ PORT: '70000', LOG_LEVEL: 'loud' }, [/^ {2}PORT: /m, /^ {2}LOG_LEVEL: /m]],
      [{ API_KEYS: 'short' }, [/^ {2}API_KEYS: key 1 has fewer/m]],
      [{ HEADWATERS_UPSTREAM_NONE_OFF: '1' }, [/^ {2}HEADWATERS_UPSTREAM_NONE_OFF: /m]],
      [{ HEADWATERS_WORKERS: 'many' }, [/^ {2}HEADWATERS_WORKERS: /m]],
      [{ MAX_RUNS: 'x' }, [/^ {2}MAX_RUNS: /m]],
    ] as const) {
      const { code, output, errors } = await runCommand(t, ['serve', path, ...flags], environment)
      t.same([code, output], [2, ''], Object.keys(environment).join())
      t.match(errors, /^headwaters: invalid configuration\n/)
      for (const line of expected) t.match(errors, line)
    }
  })
}

test('the output of definitions in a worker that cannot start is not lost', async t => {
  const text = `import cluster from 'node:cluster'
    if (cluster.isWorker) {
      for (let line = 0; line < 100; line++) console.log('to stdout')
      console.error('to stderr')
      throw new Error('not in a worker')
    }
    ${definitions.replace(/^log\(.*$/m, '')}`
  const { path } = definitionsFolder(t, { 'much.mjs': text })
  const { code, output, errors } = await runCommand(t, ['serve', path, '--workers', '2'], { PORT: '0' })
  t.equal(code, 2)
  t.match(output, /^(?:to stdout\n){100}/)
  t.match(errors, /to stderr\n/)
  t.match(errors, /not in a worker/)
})
