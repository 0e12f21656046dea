import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { t, test } from 'tap'
import { environment, packedFile, say, isOffline } from '../helpers/packed-project.ts'

t.setTimeout(240_000)

/** Starts the service of a project. Resolves with its origin. */
async function start(folder: string): Promise<string | undefined> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', 'npm', 'start'], {
    cwd: folder,
    env: { ...environment, HOST: '127.0.0.1', PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    process.kill(-(child.pid as number), 'SIGTERM')
    await ended
  })
  for await (const line of createInterface(child.stdout)) {
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
    if (origin === undefined) continue
    child.stdout.resume()
    return origin
  }
  return undefined
}

const { folder, tarball } = await packedFile(t)
const project = join(folder, 'shop')
await mkdir(project)
const began = performance.now()
const exec = ['exec', '--yes', '--prefer-offline', '--package', `../${tarball}`, '--', 'headwaters', 'init']
const written = await say(project, 'npm', exec)
if (isOffline(written) && process.env['HEADWATERS_TEST_ALL'] === '1')
  t.fail('the npm registry cannot be reached', { output: written.output })
const skip = isOffline(written) && 'the npm registry cannot be reached, so no project was written'

test('a new project is written, installed, tested, started and called in two minutes', { skip }, async t => {
  t.match(written, { code: 0, output: /wrote a project to this folder/ })
  t.match(await say(project, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline']), { code: 0 })
  t.match(await say(project, 'npm', ['test']), { code: 0, output: /pass 3/ })
  t.match(await say(project, 'npm', ['run', 'types']), { code: 0 })
  const origin = await start(project)
  const whole = await fetch(`${origin}/v1/books/1`)
  t.match(await whole.json(), { data: { title: 'The Water Book' }, complete: true })
  const seconds = (performance.now() - began) / 1000
  t.ok(seconds < 120, `it took ${seconds.toFixed(1)} s`)
  const partial = await fetch(`${origin}/v1/books/2?reviews=2`)
  t.match(await partial.json(), {
    data: { title: 'Springs and Wells', reviews: [] },
    complete: false,
    sources: { reviews: { state: 'fallback', code: 'UPSTREAM_STATUS' } },
  })
})
