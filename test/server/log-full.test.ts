import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { startMuteService } from '../helpers/service-process.ts'
import { lostLogLines } from './helpers/lost-log-lines.ts'
import { until } from '../helpers/until.ts'

for (const args of [['serve'], ['serve', '--workers', '2']]) {
  test(
    `${args.join(' ')}: a device that is full under stdout loses lines, and callers are served`,
    { timeout: 120_000 },
    async t => {
      const { origin, stop, ended, errors } = await startMuteService(t, '/dev/full', { LOG_LEVEL: 'debug' }, args)
      for (let times = 0; times < 400; times++) {
        // A connection of its own each, so that every worker gets some.
        const response = await fetch(`${origin}/health/live`, { headers: { connection: 'close' } })
        if (response.status !== 200) t.fail(`request ${times}: ${response.status}`)
      }
      // Workers report once a second.
      let lost = 0
      await until(async () => (lost = await lostLogLines(origin)) >= 400, { seen: () => `${lost} lines` })
      stop('SIGTERM')
      t.same(await ended, { code: 0, signal: null })
      t.equal(await errors, '')
    },
  )
}

test(
  'a file system that is full loses lines; when it has room again, whole lines follow and one says how many were lost',
  { timeout: 120_000 },
  async t => {
    const disk = mkdtempSync(join(tmpdir(), 'headwaters-disk-'))
    t.teardown(() => rmSync(disk, { recursive: true }))
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk])
    if (status !== 0) return t.comment('no permission to mount a file system: not run')
    t.teardown(() => {
      spawnSync('umount', ['-l', disk])
    })
    const ballast = join(disk, 'ballast')
    const stdout = join(disk, 'log')
    writeFileSync(ballast, Buffer.alloc(128 * 1024))
    const { origin, stop, ended } = await startMuteService(t, stdout, { LOG_LEVEL: 'debug' })
    const ask = async (times: number) => {
      for (let time = 0; time < times; time++) t.equal((await fetch(`${origin}/health/live`)).status, 200)
    }
    await ask(800)
    const lost = await lostLogLines(origin)
    t.ok(lost > 0, `${lost} lines were lost`)
    rmSync(ballast)
    await ask(10)
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
    const lines = readFileSync(stdout, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => {
        try {
          return JSON.parse(line) as { readonly msg: string; readonly lost?: number }
        } catch {
          return undefined
        }
      })
    t.ok(lines.filter(line => line === undefined).length <= 1, 'one line may have been written in part')
    const said = lines.find(line => line?.msg.includes('log lines lost'))?.lost ?? 0
    // Each of the ten requests has two lines at this level.
    t.ok(said >= lost && said <= lost + 20, `${said} lines, which includes those of the requests since`)
    t.equal(lines.filter(line => line?.msg === 'draining').length, 1)
    t.ok(lines.slice(-8).every(line => line !== undefined))
  },
)
