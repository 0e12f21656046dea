import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'
import { lostLogLines } from './helpers/lost-log-lines.ts'

/** Node.js makes the stream of stdout when it is first used, here while the definitions are loaded, as `console` does for a line of a module. */
const definitions = `
import { aggregate } from 'headwaters'
import { z } from 'zod'

const { stdout } = process
export const much = aggregate('much', { url: '/much' }).reply(z.unknown(), () => {
  for (let line = 0; line < 1000; line++) stdout.write(JSON.stringify({ level: 20, msg: 'x'.repeat(980) }) + '\\n')
  return true
})
`

for (const workers of ['1', '2']) {
  test(`a pipe that is not read holds up no definitions that took stdout while they were loaded: --workers ${workers}`, { timeout: 60_000 }, async t => {
    const { path } = definitionsFolder(t, { 'much.mjs': definitions })
    const stdout = join(t.testdir(), 'pipe')
    execFileSync('mkfifo', [stdout])
    const { origin, readLog, said, stop, ended } = await startService(t, {}, ['serve', path, '--workers', workers], { stdout })
    await said('serving')
    readLog(false)
    for (let times = 0; times < 12; times++) t.equal((await fetch(`${origin}/much`, { signal: AbortSignal.timeout(20_000) })).status, 200)
    // Workers report the lines that they lost once a second.
    let lost = 0
    for (let tries = 0; lost === 0 && tries < 1000; tries++) lost = await lostLogLines(origin)
    t.ok(lost > 0, `${lost} lines were lost`)
    readLog(true)
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
  })
}
