import { setImmediate } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { Abort } from '../../../../src/core/abort.ts'
import { LiveCall } from '../../../../src/upstream/call/live-call.ts'
import type { AdaptiveConcurrency } from '../../../../src/upstream/policies/bulkhead/adaptive-concurrency.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { testRun, type TestRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { questions } from '../../../helpers/questions.ts'
import { turn } from '../../../helpers/turn.ts'
import { until } from '../../../helpers/until.ts'

function arrange({
  concurrency = 1,
  maxQueue = 10,
}: { readonly concurrency?: number | AdaptiveConcurrency; readonly maxQueue?: number } = {}) {
  const { layer, gauge, setConcurrency } = bulkhead({ upstream: 'nobody', concurrency, maxQueue })
  const bottom = heldService()
  const service = layer(bottom.service)
  return {
    gauge,
    setConcurrency,
    service,
    held: bottom.held,
    enter: (run: TestRun, index = 0, abort = run.abort) => service(run.ask(questions.ask(), { abort, index })),
    /** Which calls hold a permit, by position. */
    active: () => bottom.held.map(({ call }) => call.index),
    finish: async () => {
      bottom.held[0]?.answer('done')
      await setImmediate()
    },
  }
}

/** A limit that takes the next value of the list each time a call ends, and keeps the last one. */
function limitThatBecomes(first: number, ...then: number[]): AdaptiveConcurrency & { readonly seen: unknown[] } {
  let limit = first
  const seen: unknown[] = []
  return {
    seen,
    get limit() {
      return limit
    },
    get noted() {
      return limit
    },
    ended(call, noted, _ms, active, error) {
      seen.push([call.index, noted, active, error])
      limit = then.shift() ?? limit
    },
  }
}

async function drain({ held, gauge, finish }: ReturnType<typeof arrange>, t: Test): Promise<void> {
  await until(async () => {
    if (held.length > 0) await finish()
    return held.length === 0
  })
  t.match(gauge, { active: 0, queued: 0 })
}

test('calls beyond the permits wait, and are let in one for one in the order they came', async t => {
  const place = arrange({ concurrency: 2 })
  const asked = [0, 1, 2, 3].map(index => place.enter(testRun(), index))
  t.same(place.active(), [0, 1])
  t.match(place.gauge, { active: 2, queued: 2 })
  await place.finish()
  t.same(place.active(), [1, 2])
  await place.finish()
  t.same(place.active(), [2, 3])
  await drain(place, t)
  t.equal((await Promise.all(asked)).length, 4)
})

test('a waiter that gives up leaves the queue at once, and the next takes its turn', async t => {
  const place = arrange()
  const gone = new Abort()
  const first = place.enter(testRun(), 0)
  const second = failure(place.enter(testRun(), 1, gone))
  const third = place.enter(testRun(), 2)
  gone.abort('gone')
  t.equal(place.gauge.queued, 1)
  t.equal(await second, 'gone')
  await place.finish()
  t.same(place.active(), [2])
  await drain(place, t)
  await Promise.all([first, third])
})

test('a waiter that is aborted between its turn and its sending hands its permit on', async t => {
  const place = arrange()
  const gone = new Abort()
  const first = place.enter(testRun(), 0)
  const second = failure(place.enter(testRun(), 1, gone))
  const third = place.enter(testRun(), 2)
  place.held[0]?.answer('done')
  // The answer has not yet reached the bulkhead: its turn comes and the abort with it.
  await first
  gone.abort('gone')
  t.equal(await second, 'gone')
  await setImmediate()
  t.same(place.active(), [2])
  await drain(place, t)
  await third
})

test('the queue bound refuses the first call of a run, with status 503', async t => {
  const place = arrange({ maxQueue: 1 })
  const asked = [place.enter(testRun(), 0), place.enter(testRun(), 1)]
  t.match(await failure(place.enter(testRun(), 2)), {
    code: 'BULKHEAD_FULL',
    statusCode: 503,
    source: 'nobody',
    verdict: 'ignored',
    retryable: false,
  })
  t.match(place.gauge, { active: 1, queued: 1 })
  await drain(place, t)
  await Promise.all(asked)
})

test('a queue of 0 refuses whatever finds no free permit', async t => {
  const place = arrange({ maxQueue: 0 })
  const asked = place.enter(testRun())
  t.match(await failure(place.enter(testRun())), { code: 'BULKHEAD_FULL' })
  await drain(place, t)
  await asked
})

test('later calls of an admitted run wait beyond the bound, and the runs take turns', async t => {
  const place = arrange({ maxQueue: 1 })
  const [inside, newcomer] = [testRun(), testRun()]
  const asked = [place.enter(inside, 0), place.enter(newcomer, 10), place.enter(inside, 1), place.enter(inside, 2)]
  t.match(place.gauge, { active: 1, queued: 3 })
  const order: unknown[] = []
  await until(async () => {
    order.push(...place.active())
    await place.finish()
    return place.held.length === 0
  })
  t.same(order, [0, 10, 1, 2])
  await drain(place, t)
  await Promise.all(asked)
})

test('a run that once held a permit is still admitted, and waits for its turn', async t => {
  const place = arrange()
  const [known, other] = [testRun(), testRun()]
  const asked = [place.enter(known, 0)]
  await place.finish()
  asked.push(place.enter(other, 10), place.enter(testRun(), 20), place.enter(known, 1))
  await place.finish()
  t.same(place.active(), [20])
  await place.finish()
  t.same(place.active(), [1])
  await drain(place, t)
  await Promise.all(asked)
})

test('runs that were only queued take turns, in the order of their first calls', async t => {
  const place = arrange({ maxQueue: 2 })
  const [early, late] = [testRun(), testRun()]
  const asked = [
    place.enter(testRun(), 0),
    place.enter(early, 1),
    place.enter(late, 10),
    // Beyond the bound: their run is queued already.
    place.enter(early, 2),
    place.enter(late, 11),
    place.enter(early, 3),
  ]
  t.equal(place.gauge.queued, 5)
  const order: unknown[] = []
  await until(async () => {
    order.push(...place.active())
    await place.finish()
    return place.held.length === 0
  })
  t.same(order, [0, 1, 10, 2, 11, 3])
  await drain(place, t)
  await Promise.all(asked)
})

test('a run that got its first permit from the queue waits beyond the bound from then on', async t => {
  const place = arrange({ maxQueue: 2 })
  const run = testRun()
  const asked = [place.enter(testRun(), 0), place.enter(run, 1)]
  await place.finish()
  asked.push(place.enter(testRun(), 10), place.enter(testRun(), 20), place.enter(run, 2))
  t.equal(place.gauge.queued, 3)
  await place.finish()
  t.same(place.active(), [10])
  await drain(place, t)
  await Promise.all(asked)
})

test('a waiter of a run that has a permit still leaves the queue at once when it is aborted', async t => {
  const place = arrange()
  const run = testRun()
  const gone = new Abort()
  const asked = [place.enter(testRun(), 0), place.enter(run, 1), place.enter(run, 3)]
  const leaver = failure(place.enter(run, 2, gone))
  await place.finish()
  gone.abort('gone')
  t.equal(await leaver, 'gone')
  t.match(place.gauge, { active: 1, queued: 1 })
  await place.finish()
  t.same(place.active(), [3])
  await drain(place, t)
  await Promise.all(asked)
})

test('a run whose waiters have all left is a newcomer again', async t => {
  const place = arrange({ maxQueue: 1 })
  const run = testRun()
  const gone = new Abort()
  const first = place.enter(testRun(), 0)
  const leavers = [failure(place.enter(run, 1, gone)), failure(place.enter(run, 2, gone))]
  gone.abort('gone')
  t.same(await Promise.all(leavers), ['gone', 'gone'])
  const other = place.enter(testRun(), 3)
  t.match(await failure(place.enter(run, 4)), { code: 'BULKHEAD_FULL' })
  await drain(place, t)
  await Promise.all([first, other])
})

test('the time spent in the queue is counted, also for aborted waiters', async t => {
  let now = 5
  const run = testRun({ now: () => now })
  const { layer } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 10 })
  const bottom = heldService()
  const service = layer(bottom.service)
  const [inside, waits, leaves] = [
    run.ask(questions.ask()),
    run.ask(questions.ask()),
    run.ask(questions.ask(), { abort: new Abort() }),
  ]
  const asked = [service(inside), service(waits)]
  const left = failure(service(leaves))
  now = 12
  leaves.abort.abort('gone')
  t.equal(await left, 'gone')
  now = 15
  bottom.held[0]?.answer()
  await bottom.arrived(2)
  bottom.held[0]?.answer()
  await Promise.all(asked)
  t.same(
    [inside, waits, leaves].map(call => call.effort.queuedMs),
    [0, 10, 7],
  )
})

test('a service that throws instead of rejecting gives its permit back', async t => {
  const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 0 })
  const fault = new TypeError('a bug')
  const service = layer(() => {
    throw fault
  })
  t.equal(await failure(service(testRun().ask(questions.ask()))), fault)
  t.match(gauge, { active: 0, queued: 0 })
})

test('when permits are added, waiters get them at once', async t => {
  const place = arrange({ concurrency: limitThatBecomes(1, 3) })
  const asked = [0, 1, 2, 3, 4].map(index => place.enter(testRun(), index))
  t.same(place.active(), [0])
  t.match(place.gauge, { concurrency: 1, active: 1, queued: 4 })
  await place.finish()
  t.same(place.active(), [1, 2, 3])
  t.match(place.gauge, { concurrency: 3, active: 3, queued: 1 })
  await drain(place, t)
  await Promise.all(asked)
})

test('when permits are taken away, no call is aborted, and no waiter is admitted until enough calls have ended', async t => {
  const place = arrange({ concurrency: limitThatBecomes(4, 2), maxQueue: 1 })
  const asked = [0, 1, 2, 3, 4].map(index => place.enter(testRun(), index))
  await place.finish()
  t.same(place.active(), [1, 2, 3])
  t.match(place.gauge, { concurrency: 2, active: 3, queued: 1 })
  t.match(
    await failure(place.enter(testRun(), 5)),
    { code: 'BULKHEAD_FULL' },
    'the queue bound holds while they are too many',
  )
  await place.finish()
  t.same(place.active(), [2, 3])
  await place.finish()
  t.same(place.active(), [3, 4])
  await drain(place, t)
  await Promise.all(asked)
})

test(
  'an adaptive limit receives each ended call: the note of its start, the number ' + 'of active calls and its error',
  async t => {
    const adaptive = limitThatBecomes(2, 3)
    const place = arrange({ concurrency: adaptive })
    const asked = [0, 1, 2].map(index => place.enter(testRun(), index))
    const fault = new Error('broken')
    place.held[1]?.fail(fault)
    t.equal(await failure(asked[1] as Promise<unknown>), fault)
    await drain(place, t)
    await Promise.all([asked[0], asked[2]])
    t.same(adaptive.seen, [
      [1, 2, 2, fault],
      [0, 2, 2, undefined],
      [2, 3, 1, undefined],
    ])
  },
)

test('the expected wait of a run uses the current number of permits', async t => {
  const place = arrange({ concurrency: limitThatBecomes(2, 1), maxQueue: 100 })
  const asked = [0, 1, 2].map(index => place.enter(testRun(), index))
  const announce = (of: number, deadline: number) => {
    const run = testRun({ deadline, now: () => 0 })
    return place.service(new LiveCall(questions.ask(), run.abort, run, 0, 0, of))
  }
  // Half of 250 is 125. A wait of 3 calls of 25 ms, and 5 own ones, take 37.5 + 87.5 ms with two permits.
  const before = announce(5, 250)
  await turn()
  t.match(place.gauge, { queued: 2 })
  place.held[0]?.fail(new Error('tells nothing of the time it takes'))
  await failure(asked[0] as Promise<unknown>)
  // A wait of 6 calls, and 2 own ones, take 75 + 50 ms with two permits, and 150 + 75 ms with one.
  t.match(await failure(announce(2, 250)), { code: 'BULKHEAD_FULL' })
  await drain(place, t)
  await Promise.all([asked[1], asked[2], before])
})

test('a lower concurrency cuts no call, and a higher one admits the queue at once', async t => {
  const place = arrange({ concurrency: 2 })
  const asked = [0, 1, 2, 3].map(index => place.enter(testRun(), index))
  place.setConcurrency(1)
  t.same(place.active(), [0, 1], 'both calls keep their permits')
  t.match(place.gauge, { concurrency: 1, active: 2, queued: 2 })
  await place.finish()
  t.same(place.active(), [1], 'the released permit is not granted again')
  await place.finish()
  t.same(place.active(), [2])
  place.setConcurrency(2)
  t.same(place.active(), [2, 3])
  await drain(place, t)
  t.equal((await Promise.all(asked)).length, 4)
})
