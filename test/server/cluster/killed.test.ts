import { readdirSync } from 'node:fs'
import { platform } from 'node:os'
import { test } from 'tap'
import type { LogLine } from '../../helpers/service-process.ts'
import { stormOf } from './helpers/stormy-callers.ts'
import { workersService } from './helpers/workers-service.ts'

const kills = 3
/** Connections between two kills. */
const between = 100

test(
  'workers that are killed under load leave no caller without an answer or an end, and no connection open in the primary',
  { skip: platform() === 'linux' ? false : 'descriptors are counted in /proc', timeout: 120_000 },
  async t => {
    const { port, pid, log, saidTimes, stop, ended } = await workersService(t, { flags: ['--workers', '3'] })
    const open = () => readdirSync(`/proc/${pid}/fd`).length
    const before = open()
    /** Those that listen and were not killed. */
    const alive = new Set<number>()
    let seen = 0
    let killed = 0
    let since = 0
    const storm = await stormOf(port, {
      width: 16,
      next: () => {
        for (; seen < log.length; seen++) {
          const line = log[seen] as LogLine
          if (line.msg.includes('listening at')) alive.add(line['pid'] as number)
        }
        if (killed === kills) return false
        // One is left, or the callers would meet a closed port.
        if (++since < between || alive.size < 2) return true
        const [victim] = alive as unknown as [number]
        alive.delete(victim)
        process.kill(victim, 'SIGKILL')
        since = 0
        killed++
        return true
      },
    })
    t.ok(storm.answered >= kills * between)
    t.ok(storm.closed <= killed * 16, `${storm.closed} were closed without an answer`)
    t.ok(storm.longest < 10_000, `the longest took ${storm.longest.toFixed(0)} ms`)
    t.comment(JSON.stringify({ killed, ...storm }))
    await saidTimes('listening at', 3 + killed)
    t.equal(open(), before)
    stop('SIGTERM')
    t.same(await ended, { code: 0, signal: null })
  },
)
