import { test } from 'tap'
import {
  cpuMicrosBetween,
  foreignShare,
  ranNanos,
  ranTicks,
  statusBytes,
  usedTicks,
} from '../../bench/lib/cpu-accounting.ts'
import { accounted, forgetPeak, readCpu, readMemory } from '../../bench/lib/process-files.ts'

const reading = (ticks: number, threads: Record<string, number>) => ({
  ticks,
  threads: new Map(Object.entries(threads)),
})

test('a thread says how long it ran', async t => {
  t.equal(ranNanos('701543876 183440244 91\n'), 701_543_876)
})

test('user and system time of a process are found behind any name', async t => {
  const fields = 'R 7750 7750 5810 0 -1 4194304 105 0 0 0 12 30 0 0 20 0 1 0 2169423'
  t.equal(usedTicks(`7752 (cat) ${fields}`), 42)
  t.equal(usedTicks(`7752 (a name) R 1 (odd) ${fields}`), 42)
})

test('memory is in bytes', async t => {
  const status = 'Name:\tnode\nVmPeak:\t 1234 kB\nVmHWM:\t    1732 kB\nVmRSS:\t    1000 kB\n'
  t.equal(statusBytes(status, 'VmHWM'), 1732 * 1024)
  t.equal(statusBytes(status, 'VmRSS'), 1000 * 1024)
  t.ok(Number.isNaN(statusBytes(status, 'VmSwap')))
})

test('a core ran what was user, nice, system and stolen, and not what was idle or an interrupt', async t => {
  const stat =
    'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 4 1000 1000 1000 1000 8 0 0\ncpu1 100 0 50 7 7 7 7 0 0 0\ncpu10 1 1 1 1 1 1 1 1 0 0\nintr 1'
  t.equal(ranTicks(stat, 0), 15)
  t.equal(ranTicks(stat, 1), 150)
  t.ok(Number.isNaN(ranTicks(stat, 7)))
})

test('the time between two readings is that of the threads, those that came in between included', async t => {
  t.equal(cpuMicrosBetween(reading(0, { 1: 5000, 2: 1000 }), reading(3, { 1: 9000, 2: 1000, 3: 500 })), 4.5)
})

test('if a thread has ended or no thread can be read, the ticks of the whole process count', async t => {
  t.equal(cpuMicrosBetween(reading(10, { 1: 5000, 2: 1000 }), reading(13, { 1: 9000 })), 30_000)
  t.equal(cpuMicrosBetween(reading(10, {}), reading(13, {})), 30_000)
})

test('the share of other processes is the used CPU time minus the known CPU time, and at least 0', async t => {
  t.equal(foreignShare(100, 600_000, 1000), 0.4)
  t.equal(foreignShare(60, 605_000, 1000), 0)
})

test(
  'the files of the machine say of this process what it says of itself',
  { skip: accounted ? false : 'this machine has no such files' },
  async t => {
    const [before, own] = [readCpu(process.pid), process.cpuUsage()]
    const until = performance.now() + 100
    while (performance.now() < until) JSON.parse('[1]')
    const [after, { user, system }] = [readCpu(process.pid), process.cpuUsage(own)]
    // A thread that runs is brought up to date by a tick of the clock, of which there are 100 a second or more.
    t.ok(
      Math.abs(cpuMicrosBetween(before, after) - user - system) < 25_000,
      `${cpuMicrosBetween(before, after)} µs and ${user + system} µs`,
    )

    const much = Buffer.alloc(64 * 2 ** 20, 1)
    t.ok(readMemory(process.pid).peakBytes >= much.length)
    forgetPeak(process.pid)
    const { peakBytes, residentBytes } = readMemory(process.pid)
    t.ok(Math.abs(peakBytes - residentBytes) < 16 * 2 ** 20, 'the peak begins again')
  },
)
