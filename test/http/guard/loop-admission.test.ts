import fc from 'fast-check'
import { test } from 'tap'
import { simulateLoop, type SimulatedRequest } from './helpers/simulated-loop.ts'

const percentile = (requests: readonly SimulatedRequest[], share: number) => {
  const sorted = requests.map(({ arrivedAt, endedAt }) => endedAt - arrivedAt).sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length * share)] as number
}
const admitted = (requests: readonly SimulatedRequest[]) => requests.filter(({ isAdmitted }) => isAdmitted)
const refused = (requests: readonly SimulatedRequest[]) => requests.filter(({ isAdmitted }) => !isAdmitted)
const within = (requests: readonly SimulatedRequest[], fromMs: number, toMs: number) =>
  requests.filter(({ arrivedAt }) => arrivedAt >= fromMs && arrivedAt < toMs)
/** The admitted requests per ms, as a share of what the CPU allows. */
const goodput = (requests: readonly SimulatedRequest[], ms: number, runMs = 0.5) =>
  (admitted(requests).length * runMs) / ms

test('three times the load that the CPU allows: the CPU is used for whole answers, and they stay fast', async t => {
  const { requests } = simulateLoop({
    phases: [
      [0, 0.5],
      [2000, 3],
    ],
    endMs: 22_000,
  })
  const overload = within(requests, 2000, 22_000)
  // A refusal takes 0.06 of a run, so that 0.87 is the most.
  t.ok(goodput(overload, 20_000) >= 0.85, `${goodput(overload, 20_000)} of the peak`)
  const p99 = percentile(admitted(overload), 0.99)
  t.ok(p99 <= 100, `the p99 of the admitted is ${p99} ms, with those of the burst at the start`)
  const later = percentile(admitted(within(requests, 3000, 22_000)), 0.99)
  t.ok(later <= 20, `after a second the p99 of the admitted is ${later} ms`)
  t.ok(percentile(admitted(within(requests, 3000, 22_000)), 1 - 1e-6) <= 40, 'after a second no admitted run is slow')
})

test('a request is refused within the turn in which the loop handles it', async t => {
  const { requests } = simulateLoop({ phases: [[0, 3]], endMs: 6000 })
  const late = percentile(refused(within(requests, 2000, 6000)), 0.99)
  t.ok(late <= 10, `the p99 of a refusal is ${late} ms`)
})

test('slow upstreams do not count as a queue: runs wait in them, and the loop is idle', async t => {
  const { requests } = simulateLoop({ phases: [[0, 0.8]], endMs: 5000, upstreamMs: 500 })
  t.equal(refused(requests).length, 0)
  const loaded = simulateLoop({ phases: [[0, 3]], endMs: 21_000, upstreamMs: 100 })
  const overload = within(loaded.requests, 1000, 20_000)
  t.ok(goodput(overload, 19_000) >= 0.8, `${goodput(overload, 19_000)} of the peak with upstreams of 100 ms`)
})

test('no request is refused below the capacity, and none for a burst or a pause shorter than the limit', async t => {
  t.equal(refused(simulateLoop({ phases: [[0, 0.9]], endMs: 5000 }).requests).length, 0, 'nine tenths of the peak')
  const burst = simulateLoop({
    phases: [
      [0, 0.3],
      [1000, 80],
      [1001, 0.3],
    ],
    endMs: 3000,
  })
  t.equal(refused(burst.requests).length, 0, '160 requests at once, 80 ms of work')
  const pause = simulateLoop({ phases: [[0, 0.5]], endMs: 3000, pause: [1000, 90] })
  t.equal(refused(pause.requests).length, 0, 'a pause of 90 ms')
})

test('after the overload no request is refused within a second', async t => {
  const { requests, admission } = simulateLoop({
    phases: [
      [0, 5],
      [3000, 0.5],
    ],
    endMs: 6000,
  })
  t.equal(refused(within(requests, 4000, 6000)).length, 0)
  t.equal(admission.isShedding, false, 'optional steps run again')
})

test('a limit of 0 admits every request', async t => {
  const { requests } = simulateLoop({ phases: [[0, 3]], endMs: 300, limit: 0 })
  t.equal(refused(requests).length, 0)
})

test('low requests are refused first, then normal ones, then high ones', async t => {
  const shares = (times: number) => {
    const { requests } = simulateLoop({
      phases: [[0, times]],
      endMs: 12_000,
      classes: { high: 0.2, normal: 0.4, low: 0.4 },
    })
    const steady = within(requests, 2000, 12_000)
    return (['high', 'normal', 'low'] as const).map(criticality => {
      const own = steady.filter(each => each.criticality === criticality)
      return admitted(own).length / own.length
    }) as [number, number, number]
  }
  const [high, normal, low] = shares(1.5)
  t.ok(high > 0.99 && normal > 0.95 && low > 0.05 && low < 0.6, `at 1.5 times: ${high}, ${normal}, ${low}`)
  const [high3, normal3, low3] = shares(3)
  t.ok(high3 > 0.98 && normal3 > 0.1 && normal3 < 0.7 && low3 < 0.02, `at 3 times: ${high3}, ${normal3}, ${low3}`)
  const [high8, normal8, low8] = shares(8)
  t.ok(high8 > 0.1 && normal8 < 0.05 && low8 < 0.02, `at 8 times: ${high8}, ${normal8}, ${low8}`)
})

test('runs that take longer than a turn should last are still admitted, one per turn', async t => {
  const { requests } = simulateLoop({ phases: [[0, 2]], endMs: 11_000, runMs: 30, upstreamMs: 5 })
  const steady = within(requests, 1000, 11_000)
  t.ok(goodput(steady, 10_000, 30) >= 0.9, `${goodput(steady, 10_000, 30)} of the peak`)
})

for (const callers of [8, 64, 512])
  test(`a closed loop of ${callers} callers is not refused, and neither while its code is compiled`, async t => {
    const closedLoop = { phases: [[0, 0]], endMs: 6000, callers } as const
    t.equal(refused(simulateLoop({ ...closedLoop, runMs: 0.2 }).requests).length, 0)
    const long = { ...closedLoop, runMs: 256 / callers }
    t.equal(refused(simulateLoop(long).requests).length, 0, 'with turns of a quarter of a second')
    const cold = { ...closedLoop, slowness: (at: number) => 1 + 4 * Math.exp(-at / 200) }
    t.equal(refused(simulateLoop({ ...cold, runMs: 0.1 }).requests).length, 0)
  })

test('a closed loop whose callers begin together again and again is not refused', async t => {
  for (const [callers, runMs] of [
    [32, 2],
    [512, 0.2],
    [64, 0.6],
    [32, 5],
    [512, 0.5],
  ] as const) {
    const { requests } = simulateLoop({ phases: [[0, 0]], endMs: 12_000, callers, runMs, windowMs: 600 })
    t.equal(refused(requests).length, 0, `${callers} callers with runs of ${runMs} ms`)
  }
})

test('callers that ask again at once after a refusal do not keep the service overloaded', async t => {
  const { requests, admission } = simulateLoop({
    phases: [[0, 0]],
    endMs: 16_000,
    callers: 32,
    calls: 20,
    runMs: 4,
    permits: 64,
    slowness: at => (at < 8000 ? 60 : 1),
  })
  t.ok(refused(within(requests, 0, 8000)).length > 0, 'slow runs are an overload')
  t.equal(refused(within(requests, 11_000, 16_000)).length, 0)
  t.equal(admission.isShedding, false)
})

test('no request is refused while runs take long for a short time, though the loop is late', async t => {
  const { requests } = simulateLoop({
    phases: [[0, 0.2]],
    endMs: 20_000,
    slowness: at => (at % 4000 > 3700 ? 10 : 1),
  })
  t.ok(percentile(requests, 0.999) > 100, `the slowest waits for ${percentile(requests, 1 - 1e-9)} ms`)
  t.equal(refused(requests).length, 0)
})

test('runs of many calls do not queue for permits under overload, and the CPU is used for whole answers', async t => {
  for (const calls of [5, 20, 100]) {
    const { requests } = simulateLoop({
      phases: [
        [0, 0.5],
        [2000, 3],
      ],
      endMs: 12_000,
      calls,
      runMs: calls * 0.025,
      permits: 64,
    })
    const steady = within(requests, 3000, 12_000)
    t.ok(
      goodput(steady, 9000, calls * 0.025) >= 0.8,
      `${goodput(steady, 9000, calls * 0.025)} of the peak, ${calls} calls`,
    )
    const p99 = percentile(admitted(steady), 0.99)
    t.ok(p99 <= 30, `the p99 of the admitted is ${p99} ms, ${calls} calls`)
  }
})

test('callers that send in bursts of 20 ms still get most of the capacity', async t => {
  const { requests } = simulateLoop({ phases: [[0, 3]], endMs: 11_000, stepMs: 20 })
  const steady = within(requests, 1000, 11_000)
  t.ok(goodput(steady, 10_000) >= 0.65, `${goodput(steady, 10_000)} of the peak`)
})

test('for every load, class and upstream the capacity is used, and all requests are admitted again after the load', async t => {
  const fault = fc.check(
    fc.property(
      fc.double({ min: 0.1, max: 6, noNaN: true }),
      fc.constantFrom(0.3, 5, 50),
      fc.constantFrom<'high' | 'normal' | 'low'>('high', 'normal', 'low'),
      (times, upstreamMs, criticality) => {
        const { requests, admission } = simulateLoop({
          phases: [
            [0, times],
            [5000, 0.3],
          ],
          endMs: 7000,
          upstreamMs,
          classes: { [criticality]: 1 },
        })
        // A refusal takes 0.06 of a run.
        const possible = Math.min(times, (1 - 0.06 * times) / 0.94)
        return (
          goodput(within(requests, 2000, 5000), 3000) >= possible * 0.9 - 0.02 &&
          refused(within(requests, 6000, 7000)).length === 0 &&
          !admission.isShedding
        )
      },
    ),
    { numRuns: 60 },
  )
  t.equal(fault.counterexample, null)
})
