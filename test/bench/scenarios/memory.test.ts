import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readRows, usual } from '../../../bench/compare/workload/row.ts'
import type { TargetSpec } from '../../../bench/compare/targets.ts'
import { accounted } from '../../../bench/lib/process-files.ts'
import { createMemoryCgroup, oomKills } from '../../../bench/scenarios/memory/cgroup.ts'
import type { MemoryCgroup } from '../../../bench/scenarios/memory/cgroup.ts'
import { measurePeaks } from '../../../bench/scenarios/memory/measure-peak.ts'
import { soakInCgroup } from '../../../bench/scenarios/memory/soak-in-cgroup.ts'
import { targets } from '../../../bench/scenarios/memory/targets.ts'
import { peakViolations, soakViolations } from '../../../bench/scenarios/memory/violations.ts'

const peakOf = (fanout: string, peakBytes: number, target = 'serve', non200 = 0) => ({
  target,
  row: readRows(fanout, usual)[0] as ReturnType<typeof readRows>[0],
  idleBytes: 60e6,
  peakBytes,
  afterBytes: 90e6,
  responses: 1000,
  non200,
})

t.test('the limit of the peak applies to the service at fan-out 20 with 32 callers only', test => {
  test.same(
    peakViolations([
      peakOf('20', 150e6),
      peakOf('100', 300e6),
      peakOf('20+10kb', 300e6),
      peakOf('20', 300e6, 'floor-request', 9),
    ]),
    [],
  )
  test.same(peakViolations([peakOf('20', 151e6), peakOf('20', 160e6, 'package', 2), peakOf('20', 1e6, 'serve', 1)]), [
    'serve: the peak at fan-out 20 is 151 MB, above 150 MB',
    'package: the peak at fan-out 20 is 160 MB, above 150 MB',
    'package: 99.80 % of the replies were 200, below 99.9 %',
  ])
  test.end()
})

t.test('a soak fails when the service ends, when a process is killed, and when too few replies are 200', test => {
  const soak = { responses: 10_000, non200: 10, seconds: 60.4, hasEnded: false, peakBytes: 1, kills: 0 }
  test.same(soakViolations(soak), [])
  test.same(soakViolations({ ...soak, non200: 11 }), ['99.89 % of the replies were 200, below 99.9 %'])
  test.same(soakViolations({ ...soak, responses: 0, non200: 0 }), ['NaN % of the replies were 200, below 99.9 %'])
  const ended = 'the service ended after 60 s; the memory limit killed 1 processes'
  test.same(soakViolations({ ...soak, hasEnded: true, kills: 1 }), [ended])
  test.end()
})

t.test('the kills of a control group are read in both versions', test => {
  test.equal(oomKills('low 0\nhigh 0\nmax 51\noom 3\noom_kill 2\noom_group_kill 7\n'), 2)
  test.equal(oomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 1\n'), 1)
  test.end()
})

t.test(
  'the peak of a process is at least its memory before and after the load',
  { skip: accounted ? false : 'the memory of a process cannot be measured on this machine', timeout: 60_000 },
  async test => {
    const rows = readRows('2+4callers', usual)
    const [row, ...others] = await measurePeaks({ serve: targets['serve'] as TargetSpec }, rows, 0.2)
    test.same(others, [])
    test.match(row, { target: 'serve', row: rows[0], non200: 0 })
    const { idleBytes = 0, peakBytes = 0, afterBytes = Infinity, responses = 0 } = row ?? {}
    const isOrdered = idleBytes > 20e6 && peakBytes >= idleBytes && peakBytes >= afterBytes
    test.ok(isOrdered && responses > 0, JSON.stringify(row))
  },
)

/** Returns a control group, or the reason why this system permits none. */
function cgroupOf(mib: number): MemoryCgroup | string {
  try {
    return createMemoryCgroup(mib * 2 ** 20)
  } catch (error) {
    return String(error)
  }
}

const probe = cgroupOf(64)
if (typeof probe === 'string') {
  t.test('without the permission to create a control group, the soak prints a line and succeeds', async test => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, '../../../bench/scenarios/memory/soak.ts'),
    ])
    test.match(stdout, /^skipped: a control group with a memory limit cannot be created: /)
  })
} else {
  probe.remove()

  t.test('a service within its memory limit is not killed, and answers requests', { timeout: 60_000 }, async test => {
    const cgroup = createMemoryCgroup(512 * 2 ** 20)
    const soak = await soakInCgroup(cgroup, readRows('2+4callers,5+4callers', usual), 0.2)
    test.match(soak, { hasEnded: false, kills: 0 })
    // On a busy machine a service that has just started refuses some requests.
    test.ok(soak.responses > soak.non200 && soak.peakBytes > 20e6)
    test.ok(cgroup.read().peakBytes > 20e6)
    cgroup.remove()
  })

  t.test('a service that the memory limit kills is reported', { timeout: 60_000 }, async test => {
    const cgroup = createMemoryCgroup(90 * 2 ** 20)
    const soak = await soakInCgroup(cgroup, readRows('20+32callers', { ...usual, bodyBytes: 2_000_000 }), 20)
    test.ok(soak.hasEnded)
    test.equal(soak.kills, 1)
    cgroup.remove()
  })
}
