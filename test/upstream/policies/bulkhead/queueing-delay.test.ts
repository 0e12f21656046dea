import { test } from 'tap'
import { Flow } from '../../../../src/upstream/policies/bulkhead/flow.ts'
import {
  estimateService,
  estimateWait,
  estimateWaitUnderOverload,
  exceedsTarget,
  isOverloaded,
} from '../../../../src/upstream/policies/bulkhead/queueing-delay.ts'

function flowWith({
  holdMs = 25,
  ...state
}: Partial<Pick<Flow, 'holdMs' | 'liveRuns' | 'reserved' | 'queued' | 'refused'>>): Flow {
  const flow = Object.assign(new Flow(2, { weight: 0 }), state)
  flow.hold.ms = holdMs
  return flow
}

test('a run waits for as many calls of each live run as it has itself, and for no more than are reserved', t => {
  const flow = flowWith({ holdMs: 20, liveRuns: 3, reserved: 100 })
  t.equal(estimateWait(flow, 1, 4), 15, '3 calls')
  t.equal(estimateWait(flow, 10, 4), 150, '30 calls')
  t.equal(estimateWait(flow, 50, 4), 500, 'all 100 calls')
  t.equal(estimateWait(flowWith({}), 50, 4), 0)
  t.end()
})

test('under overload a run of many calls waits for the runs that come after it too', t => {
  const flow = flowWith({ holdMs: 20, liveRuns: 3, reserved: 30 })
  t.equal(estimateWaitUnderOverload(flow, 1, 4), 15, '3 calls')
  t.equal(estimateWaitUnderOverload(flow, 50, 4), 650, 'the 30 calls, and 50 of each of two more runs')
  t.equal(estimateWaitUnderOverload(flowWith({ holdMs: 20, liveRuns: 1, reserved: 30 }), 50, 4), 150, 'the 30 calls')
  t.equal(estimateWaitUnderOverload(flowWith({}), 50, 4), 0, 'nothing')
  t.end()
})

test('without a wait a run takes one call, and its calls divided by the permits', t => {
  t.equal(estimateService(flowWith({ holdMs: 20 }), 6, 4), 50)
  t.end()
})

test('under overload a run may wait twice as long as it takes, and always 5 ms', t => {
  t.notOk(exceedsTarget(100, 50))
  t.ok(exceedsTarget(100.1, 50))
  t.notOk(exceedsTarget(5, 0.1))
  t.ok(exceedsTarget(5.1, 0.1))
  t.end()
})

test('a flow is overloaded when it is asked for more than in the first 50 ms in which calls wait', t => {
  const flow = flowWith({ holdMs: 20, queued: 1, reserved: 300 })
  t.notOk(isOverloaded(flow, 20, 4, 49))
  t.equal(flow.burst, 320)
  flow.reserved = 100
  t.notOk(isOverloaded(flow, 20, 4, 49), 'the largest demand counts')
  t.equal(flow.burst, 320)
  flow.reserved = 300
  t.notOk(isOverloaded(flow, 20, 4, 50), 'no more than in the first interval')
  t.ok(isOverloaded(flow, 21, 4, 50))
  flow.queued = 0
  t.notOk(isOverloaded(flow, 21, 4, 50), 'no call waits')
  t.end()
})

test('the calls of refused runs are part of the demand', t => {
  const flow = flowWith({ holdMs: 20, queued: 1, reserved: 20 })
  t.notOk(isOverloaded(flow, 1, 4, 1000))
  flow.refused = 100
  t.ok(isOverloaded(flow, 1, 4, 1000))
  t.end()
})

test('a demand that takes up to 150 ms is not overload', t => {
  const flow = flowWith({ holdMs: 20, queued: 1, reserved: 29 })
  t.notOk(isOverloaded(flow, 1, 4, 1000), '30 calls of 20 ms with 4 permits')
  t.ok(isOverloaded(flow, 2, 4, 1000))
  t.end()
})

test('a demand that takes up to five holding times is not overload', t => {
  const flow = flowWith({ holdMs: 100, queued: 1, reserved: 19 })
  t.notOk(isOverloaded(flow, 1, 4, 1000), '20 calls with 4 permits')
  t.ok(isOverloaded(flow, 2, 4, 1000))
  t.end()
})

test('the first interval is at least two holding times', t => {
  const flow = flowWith({ holdMs: 200, queued: 1, reserved: 300 })
  t.notOk(isOverloaded(flow, 1, 4, 399))
  t.ok(isOverloaded(flow, 2, 4, 400))
  t.end()
})
