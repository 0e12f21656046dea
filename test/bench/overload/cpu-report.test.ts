import { test } from 'tap'
import { cpuHead, cpuRow, cpuViolations } from '../../../bench/scenarios/overload/cpu-report.ts'
import { lastTrouble, medianSecond, wholeMs } from '../../../bench/scenarios/overload/figures.ts'
import type { CpuFigures } from '../../../bench/scenarios/overload/measure-cpu.ts'

const good: CpuFigures = {
  fanout: 20,
  peak: 1000,
  offered: 3000,
  whole: 850,
  wholeMean: 840,
  refused: 2160,
  other: 0,
  calmP50Ms: 2,
  calmP99Ms: 4,
  p50Ms: 7,
  p99Ms: 11,
  answerMicros: 500,
  refusalMicros: 20,
  recoveredMs: 250,
}

test('figures within the limits have no violation, and each limit has its own', async t => {
  t.same(cpuViolations(good), [])
  t.match(cpuViolations({ ...good, wholeMean: 790 }), [/^0\.79 of the peak/])
  t.match(cpuViolations({ ...good, p99Ms: 12.1 }), [/ 3\.02 times the calm p99/])
  t.match(cpuViolations({ ...good, refusalMicros: 36 }), [/ 0\.072 of an answer/])
  t.match(cpuViolations({ ...good, recoveredMs: 2000 }), [/ 2000 ms/])
})

test('a row has a cell per column', async t => {
  const row = cpuRow(good)
  t.equal(row.length, cpuHead.length)
  t.match(Object.fromEntries(cpuHead.map((name, index) => [name, row[index]])), {
    'of peak': '0.84',
    'p99 / calm': '2.75',
    'refusal / answer': '0.040',
  })
})

test('the figures of an open loop count from the time at which each request was due', async t => {
  const ended = [
    { status: 200, dueAt: 0, endedAt: 900 },
    { status: 200, dueAt: 500, endedAt: 510 },
    { status: 503, dueAt: 600, endedAt: 601 },
    { status: 200, dueAt: 1000, endedAt: 1005 },
    { status: 200, dueAt: 2000, endedAt: 2005 },
    { status: 200, dueAt: 2100, endedAt: 2105 },
  ]
  t.same(wholeMs(ended), [5, 5, 5, 10, 900])
  t.equal(medianSecond(ended, 0, 3), 2)
  t.equal(lastTrouble(ended, 0, 100), 750, 'the refusal is the last trouble')
  t.equal(lastTrouble(ended, 0, 1), 2250, 'with a lower bound each answer is late')
})
