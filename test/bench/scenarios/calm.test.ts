import { test } from 'tap'
import { measureCase } from '../../../bench/compare/measure/measure.ts'
import { accounted } from '../../../bench/lib/process-files.ts'
import { calmCase } from '../../../bench/scenarios/calm/case.ts'
import { comparisonsOf, violationsOf } from '../../../bench/scenarios/calm/violations.ts'
import { windowOf } from '../../helpers/measurement.ts'

const windows = (p50Ms: number, cpuMicros: number) => [
  { ...windowOf('serve', 20, 0, cpuMicros), p50Ms },
  { ...windowOf('floor-request', 20, 0, 40), p50Ms: 20 },
]

test('ratios at the limits are accepted, and ratios above them are violations', t => {
  t.same(violationsOf({ windows: windows(21, 50) }), [])
  t.same(violationsOf({ windows: windows(42, 80) }), [
    'p50: 2.10 of Pool.request by hand, above 1.05',
    'CPU time per call: 2.00 of Pool.request by hand, above 1.25',
  ])
  t.end()
})

test('a ratio that was not measured is a violation', t => {
  t.equal(violationsOf({ windows: windows(21, 50).slice(1) }).length, 2)
  t.end()
})

test(
  'both targets make the same calls, and neither answers before its calls',
  { skip: accounted ? false : 'the CPU time of a process cannot be measured on this machine', timeout: 90_000 },
  async t => {
    const { rows } = await measureCase(
      calmCase,
      {
        targets: calmCase.targets,
        rows: [{ fanout: 20, callers: 4, bodyBytes: 110 }],
        rounds: 1,
        windowMs: 200,
        filler: 'fields',
        delayMs: 40,
        slowMs: 0,
        foreignLimit: Infinity,
      },
      line => t.fail(line),
    )
    const [row] = rows
    t.same(
      row?.windows.map(({ target }) => target),
      ['serve', 'floor-request'],
    )
    for (const { p50Ms, target } of row?.windows ?? []) t.ok(p50Ms >= 39, target)
    t.ok(comparisonsOf({ windows: row?.windows ?? [] }).every(({ ratio }) => (ratio?.median ?? 0) > 0))
  },
)
