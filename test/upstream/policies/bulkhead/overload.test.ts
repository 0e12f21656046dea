import { test } from 'tap'
import { UpstreamError } from '../../../../src/errors.ts'
import type { CallFlow } from '../../../../src/upstream/call/flow.ts'
import { VirtualBulkhead, type VirtualRun } from '../../../helpers/virtual-bulkhead.ts'

const flowOf = (weight: number): CallFlow => ({ weight })

interface Load {
  readonly flow: CallFlow
  readonly calls: number
  readonly perSecond: number
  readonly deadline?: number
}

const seconds = 20

/** The runs of some open loops against permits of 25 ms. */
function runsUnder(concurrency: number, ...loads: readonly Load[]): readonly VirtualRun[] {
  let nth = 0
  const virtual = new VirtualBulkhead({ concurrency, hold: () => 20 + (nth++ % 11) })
  for (const { flow, calls, perSecond, deadline = 2000 } of loads) {
    const arrive = (index: number) => {
      virtual.start(flow, calls, deadline)
      if (index < perSecond * seconds) schedule(index + 1)
    }
    const schedule = (index: number) => virtual.at(((index - 0.5) * 1000) / perSecond, () => arrive(index))
    schedule(1)
  }
  virtual.until()
  return virtual.runs
}

const refused = ({ failure }: VirtualRun) => failure instanceof UpstreamError && failure.code === 'BULKHEAD_FULL'
const whole = (runs: readonly VirtualRun[]) => runs.filter(({ failure }) => failure === undefined)

function p99(runs: readonly VirtualRun[]): number {
  const times = whole(runs).map(({ startedAt, endedAt }) => endedAt - startedAt)
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number
}

for (const [concurrency, calls] of [
  [20, 5],
  [64, 20],
  [8, 20],
] as const)
  for (const times of [2, 3])
    test(`at ${times} times what ${concurrency} permits allow, runs of ${calls} calls are answered at the full rate and soon`, t => {
      const capacity = (concurrency * 40) / calls
      const flow = flowOf(2)
      const calm = runsUnder(concurrency, { flow, calls, perSecond: capacity / 2 })
      t.equal(whole(calm).length, calm.length)
      const flood = runsUnder(concurrency, { flow, calls, perSecond: capacity * times })
      const answered = whole(flood).length / seconds
      t.ok(answered >= 0.95 * capacity, `${answered} of ${capacity} runs per second`)
      t.ok(p99(flood) <= 5 * p99(calm), `p99 ${p99(flood)} ms, calm ${p99(calm)} ms`)
      t.ok(
        flood.every(run => run.failure === undefined || (refused(run) && run.granted.length === 0)),
        'every other run is refused before it has sent a call',
      )
      t.end()
    })

for (const deadline of [2000, 800])
  test(`beside a flood of another aggregate, an aggregate with a deadline of ${deadline} ms is answered within its share`, t => {
    const [light, heavy] = [flowOf(2), flowOf(2)]
    const calm = { flow: light, calls: 5, perSecond: 16, deadline }
    const before = runsUnder(8, calm, { flow: heavy, calls: 5, perSecond: 16 }).filter(({ flow }) => flow === light)
    const all = runsUnder(8, calm, { flow: heavy, calls: 5, perSecond: 640 })
    const beside = all.filter(({ flow }) => flow === light)
    t.equal(whole(beside).length, beside.length)
    t.ok(p99(beside) <= 2 * p99(before), `p99 ${p99(beside)} ms, calm ${p99(before)} ms`)
    const rest = whole(all.filter(({ flow }) => flow === heavy)).length / seconds
    t.ok(rest >= 0.95 * (64 - 16), `the flood gets the remaining permits: ${rest} of 48 runs per second`)
    t.end()
  })

test('under overload the whole answers follow the weights', t => {
  const flows = [4, 2, 1].map(flowOf)
  const runs = runsUnder(21, ...flows.map(flow => ({ flow, calls: 5, perSecond: 300 })))
  const [high = 0, normal = 0, low = 0] = flows.map(flow => whole(runs.filter(run => run.flow === flow)).length)
  t.ok(Math.abs(high / normal - 2) < 0.1 && Math.abs(normal / low - 2) < 0.1, `${high}, ${normal}, ${low}`)
  t.end()
})

test('callers that send their next request after each reply are not refused, however many calls wait', t => {
  const virtual = new VirtualBulkhead({ concurrency: 64, hold: () => 2 })
  const flow = flowOf(2)
  const call = () => {
    const run = virtual.start(flow, 5, 2000)
    const next = () => {
      if (!Number.isNaN(run.endedAt)) return call()
      if (virtual.now < 3000) virtual.at(virtual.now + 1, next)
    }
    virtual.at(virtual.now + 1, next)
  }
  // The time that a call takes is learned first.
  for (let caller = 0; caller < 8; caller++) call()
  virtual.until(500)
  for (let caller = 8; caller < 512; caller++) call()
  virtual.until(3000)
  t.equal(virtual.runs.filter(refused).length, 0)
  t.ok(virtual.runs.length > 10_000)
  t.end()
})

/** 32 callers whose requests are handled one after the other, 4 ms each. */
function closedLoop(isLoopBusy: (now: number) => boolean): VirtualBulkhead {
  const virtual = new VirtualBulkhead({ concurrency: 64, hold: () => 23, isLoopBusy })
  const flow = flowOf(2)
  let handledAt = 0
  const arrive = () => {
    handledAt = Math.max(handledAt, virtual.now) + 4
    virtual.at(handledAt, start)
  }
  const start = () => {
    const run = virtual.start(flow, 20, 2000)
    const next = () => {
      if (!Number.isNaN(run.endedAt)) return arrive()
      if (virtual.now < 3000) virtual.at(virtual.now + 1, next)
    }
    virtual.at(virtual.now + 1, next)
  }
  for (let caller = 0; caller < 32; caller++) arrive()
  virtual.until(3000)
  return virtual
}

test('a busy event loop that spreads the requests of a constant number of callers is not overload', t => {
  t.ok(closedLoop(() => false).runs.some(refused), 'with permits as the limit, the same arrivals are growing demand')
  const busy = closedLoop(() => true)
  t.equal(busy.runs.filter(refused).length, 0)
  t.ok(busy.runs.length > 300)
  t.end()
})

test('a run that cannot be in time is refused while the event loop is busy too', t => {
  const virtual = new VirtualBulkhead({ concurrency: 1, hold: () => 25, isLoopBusy: () => true })
  const flow = flowOf(2)
  for (let nth = 0; nth < 40; nth++) virtual.start(flow, 1, 400)
  virtual.until()
  t.ok(virtual.runs.some(refused))
  t.ok(whole(virtual.runs).every(({ startedAt, endedAt }) => endedAt - startedAt <= 400))
  t.end()
})

test('a burst of runs that come together is admitted, as far as the deadline allows', t => {
  const virtual = new VirtualBulkhead({ concurrency: 64, hold: () => 25 })
  const flow = flowOf(2)
  for (let nth = 0; nth < 20; nth++) virtual.start(flow, 100, 2000)
  virtual.until()
  t.equal(whole(virtual.runs).length, 20)
  t.end()
})

test('runs that come together are admitted while their work fits into half of their deadline', t => {
  const virtual = new VirtualBulkhead({ concurrency: 64, hold: () => 25 })
  const flow = flowOf(2)
  for (let nth = 0; nth < 25; nth++) virtual.start(flow, 50, 800)
  t.same(virtual.runs.filter(refused), virtual.runs.slice(19))
  virtual.until()
  t.equal(whole(virtual.runs).length, 19)
  t.end()
})

test('among many runs of one call, a run of many calls is refused at once instead of late', t => {
  const flow = flowOf(2)
  const runs = runsUnder(32, { flow, calls: 1, perSecond: 2240 }, { flow, calls: 100, perSecond: 3 })
  const large = runs.filter(({ calls }) => calls === 100)
  const late = large.filter(run => run.failure !== undefined && !refused(run))
  t.ok(late.length <= 1, `${late.length} of ${large.length} runs reached their deadline`)
  t.ok(whole(runs).length >= 0.95 * 1280 * seconds)
  t.end()
})

test('when the queue is full, a run takes the place of the newest run of a lower weight that has no permit', t => {
  const virtual = new VirtualBulkhead({ concurrency: 1, maxQueue: 3, hold: () => 10 })
  const [high, low] = [flowOf(4), flowOf(1)]
  const entered = virtual.start(low, 2)
  const older = virtual.start(low, 1)
  const newest = virtual.start(low, 2)
  t.equal(virtual.gauge.queued, 4)
  const important = virtual.start(high, 2)
  t.ok(refused(newest))
  t.equal(newest.ended, 2, 'with all its calls')
  t.equal(virtual.gauge.queued, 4)
  t.ok(refused(virtual.start(low, 1)), 'a run of the lowest weight takes no place')
  virtual.until()
  t.equal(whole([entered, older, important]).length, 3)
  t.end()
})

test('when the queue is full of one aggregate, another aggregate of the same weight gets its share of the queue', t => {
  const virtual = new VirtualBulkhead({ concurrency: 1, maxQueue: 8, hold: () => 10 })
  const [heavy, light] = [flowOf(2), flowOf(2)]
  for (let nth = 0; nth < 9; nth++) virtual.start(heavy, 1)
  const runs = Array.from({ length: 5 }, () => virtual.start(light, 1))
  t.same(runs.map(refused), [false, false, false, false, true], 'half of the queue')
  t.equal(virtual.gauge.queued, 8)
  virtual.until()
  t.end()
})

test('the queue does not grow when a listener of a refusal starts another run', t => {
  const virtual = new VirtualBulkhead({ concurrency: 1, maxQueue: 1, hold: () => 10 })
  const [high, low] = [flowOf(4), flowOf(1)]
  virtual.start(low, 1)
  const replaced = virtual.start(low, 1)
  // The listener of the refusal sends a run of the same importance at once.
  let again: VirtualRun | undefined
  replaced.onFailure = () => {
    again = virtual.start(high, 1)
  }
  const late = virtual.start(high, 1)
  t.ok(refused(replaced))
  t.ok(refused(late), 'its place was taken meanwhile')
  t.equal(virtual.gauge.queued, 1)
  virtual.until()
  t.equal(again?.failure, undefined)
  t.end()
})
