import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { caseOf } from '../../bench/compare/cases.ts'
import { checkLimits, exceededLimits, limits, limitText } from '../../bench/compare/report/limits.ts'
import type { Limit } from '../../bench/compare/report/limits.ts'
import { readRows, rowLabel, usual } from '../../bench/compare/workload/row.ts'
import { measurementOf } from '../helpers/measurement.ts'

test('each limit is of targets and of a row that the case serve measures by default', t => {
  const { specs, targets, rows } = caseOf('serve')
  const labels = readRows(rows, usual).map(rowLabel)
  for (const { of, to, row } of limits) {
    t.ok(specs[of] && targets.includes(of) && targets.includes(to), `${of} / ${to}`)
    t.ok(labels.includes(readRows(row, usual).map(rowLabel)[0] as string), row)
  }
  t.end()
})

test('a ratio at its limit is accepted, one above it is exceeded, and one without windows is not measured', t => {
  const all: Limit[] = [
    { of: 'serve', to: 'go', figure: 'CPU', row: '5', most: 0.75 },
    { of: 'serve', to: 'floor-request', figure: 'CPU', row: '5', most: 1.19 },
    { of: 'serve', to: 'floor-request', figure: 'p99', row: '5', most: 0.99 },
    { of: 'serve', to: 'floor-request', figure: 'CPU', row: '20', most: 1 },
    { of: 'serve', to: 'nginx', figure: 'CPU', row: '5', most: 1 },
  ]
  const checked = checkLimits(measurementOf({ serve: 30, 'floor-request': 25, go: 40 }, '5', 6), all)
  const cpu = 'CPU of serve / floor-request at 5                       1.20 (1.20–1.20)    limit 1.19  exceeded'
  const p99 = 'p99 of serve / floor-request at 5                       1.00 (1.00–1.00)    limit 0.99  exceeded'
  t.same(checked.map(limitText), [
    'CPU of serve / go at 5                                  0.75 (0.75–0.75)    limit 0.75  ok',
    cpu,
    p99,
    'CPU of serve / floor-request at 20                      not measured',
    'CPU of serve / nginx at 5                               not measured',
  ])
  t.same(exceededLimits(checked), [cpu, p99])
  t.end()
})

test('the growth with the number of callers is compared with that of the floor', t => {
  const { rows } = measurementOf({ serve: 30, 'floor-request': 25 }, '5+8callers,5+512callers', 6)
  const grown = rows.map(({ row, windows, dropped }) => ({
    row,
    dropped,
    windows: windows.map(window => ({
      ...window,
      cpuMicrosPerCall: window.cpuMicrosPerCall * (row.callers === 8 ? 1 : window.target === 'serve' ? 1.32 : 1.2),
    })),
  }))
  const growths = limits.filter(({ figure }) => figure === 'growth')
  t.match(checkLimits({ rows: grown }, growths), [{ ratio: { median: 1.1, count: 6 } }])
  t.same(checkLimits({ rows: grown.slice(1) }, growths)[0]?.ratio, undefined, 'without the row of few callers')
  t.end()
})

test('the command fails when an earlier result exceeds a limit', async t => {
  const measurement = measurementOf({ serve: 30, 'floor-request': 25 }, '5', 6)
  const result = { date: '2026-01-01', node: '24', cpu: 'a CPU', plan: { rounds: 6, windowMs: 1000 }, measurement }
  const folder = t.testdir({ 'run.json': JSON.stringify(result) })
  const bench = join(import.meta.dirname, '../../bench/compare/run.ts')
  const { code, stdout } = await new Promise<{ code: unknown; stdout: string }>(resolve => {
    execFile(process.execPath, [bench, '--from', join(folder, 'run.json'), '--limits'], (error, out) =>
      resolve({ code: error?.code, stdout: out }),
    )
  })
  t.equal(code, 1)
  t.match(stdout, /^violated: CPU of serve \/ floor-request at 5 +1\.20 \(1\.20–1\.20\) +limit 0\.95 +exceeded$/m)
})
