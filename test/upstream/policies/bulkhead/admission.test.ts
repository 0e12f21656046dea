import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { LiveCall } from '../../../../src/upstream/call/live-call.ts'
import { Admission } from '../../../../src/upstream/policies/bulkhead/admission.ts'
import { AdmissionControl } from '../../../../src/upstream/policies/bulkhead/admission-control.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { FairQueue } from '../../../../src/upstream/policies/bulkhead/fair-queue.ts'
import { Flow } from '../../../../src/upstream/policies/bulkhead/flow.ts'
import { Semaphore } from '../../../../src/upstream/policies/bulkhead/semaphore.ts'
import { testRun, type TestRun } from '../../../helpers/call.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { questions } from '../../../helpers/questions.ts'

/** One permit, a long queue, and a clock that moves when told to. */
function arrange() {
  let now = 0
  const { layer, gauge } = bulkhead({ upstream: 'up', concurrency: 1, maxQueue: 1000, now: () => now })
  const bottom = heldService()
  const service = layer(bottom.service)
  return {
    gauge,
    run: (deadline: number) => testRun({ deadline, now: () => now }),
    /** Sends the first of so many calls of a run; says how it went when it is not under way. */
    enter(run: TestRun, of = 1): { refusal: string | undefined } {
      const state: { refusal: string | undefined } = { refusal: undefined }
      service(new LiveCall(questions.ask(), run.abort, run, 0, 0, of)).catch((error: { code?: string }) => {
        state.refusal = error.code ?? 'cut'
      })
      return state
    },
    async finishAfter(ms: number) {
      now += ms
      bottom.held[0]?.answer('done')
      await setImmediate()
    },
  }
}

test('a run is refused at once when the calls reserved before it leave it too little time, even with room in the queue', async t => {
  const place = arrange()
  place.enter(place.run(60_000), 50)
  const hurried = place.enter(place.run(800), 50)
  const patient = place.enter(place.run(60_000))
  await setImmediate()
  // 50 calls of the first run and 50 own ones take 2.5 s at a guess of 25 ms each, and half of 800 is not enough.
  t.equal(hurried.refusal, 'BULKHEAD_FULL')
  t.equal(patient.refusal, undefined)
  t.equal(place.gauge.queued, 1)
})

test('a run of one call is not refused for the many calls of another run, because the runs take turns', async t => {
  const place = arrange()
  place.enter(place.run(60_000), 1000)
  const small = place.enter(place.run(200))
  await setImmediate()
  // One call of the other run, and its own: 75 ms with the permit that it waits for.
  t.equal(small.refusal, undefined)
})

test('the reserved calls that a run does not make are given back when the run is over', async t => {
  const place = arrange()
  const first = place.run(60_000)
  place.enter(first, 50)
  await place.finishAfter(25)
  place.enter(place.run(60_000))
  first.abort.abort(new Error('over'))
  // Its 10 calls and one other take 300 ms. With 10 calls of the first run they would take 550.
  const next = place.enter(place.run(800), 10)
  await setImmediate()
  t.equal(next.refusal, undefined)
})

test('the time that calls take is learned', async t => {
  const place = arrange()
  const waits = async () => {
    place.enter(place.run(60_000))
    const asked = place.enter(place.run(300))
    await setImmediate()
    return asked.refusal === undefined
  }
  t.ok(await waits(), 'two calls of 25 ms are done in half of 300 ms')
  // One call in eight is measured.
  for (let call = 0; call < 40 * 8; call++) {
    await place.finishAfter(200)
    place.enter(place.run(60_000))
  }
  t.notOk(await waits(), 'of 200 ms they are not')
})

test('a run that is refused leaves nothing of itself behind', async t => {
  const place = arrange()
  place.enter(place.run(60_000), 50)
  const refused = place.run(100)
  place.enter(refused, 10)
  await setImmediate()
  t.equal(refused.abort.size, 0)
  t.equal(refused.admitted.size, 0)
})

const call = (of = 1, deadline = 60_000, index = 0) => {
  const run = testRun({ deadline, now: () => 0 })
  return new LiveCall(questions.ask(), run.abort, run, 0, index, of)
}

test('a step reserves its calls once, with its first call, and gives back those that are done or that never come', async t => {
  const load = new Flow(2, { weight: 0 })
  const admission = new Admission(load)
  const first = call(5)
  admission.reserve(first)
  t.equal(load.reserved, 5)
  t.equal(load.liveRuns, 1)
  admission.reserve(call(5, 60_000, 1))
  t.equal(load.reserved, 5, 'later calls are in the reservation')
  admission.done(first)
  admission.done(first)
  t.equal(load.reserved, 3)
  first.scope.abort.abort('over')
  t.equal(load.reserved, 0)
  t.equal(load.liveRuns, 0)
  t.equal(first.scope.abort.size, 0)
  admission.done(first)
  t.equal(load.reserved, 0, 'a call that ends after its run is not counted twice')
  admission.done(new LiveCall(questions.ask(), first.scope.abort, first.scope, 3, 0))
  t.equal(load.reserved, 0, 'a step that reserved nothing has none to give back')
})

/** An admission control with one permit, which is in use, and an empty queue. */
function control(): AdmissionControl {
  const now = () => 0
  const queue = new FairQueue(now)
  const semaphore = new Semaphore(1, queue)
  semaphore.tryAcquire()
  return new AdmissionControl({ upstream: 'up', semaphore, queue, maxQueue: 1, now, isLoopBusy: () => false })
}

test('a revoked run has nothing reserved, and is admitted as a new one', async t => {
  const admissions = control()
  const first = call(5)
  const admission = admissions.admit(first) as Admission
  t.equal(admissions.admit(first), admission, 'a run is admitted once')
  const { flow } = admission
  t.match(flow, { reserved: 5, liveRuns: 1 })
  admissions.revoke(admission, first)
  t.match(flow, { reserved: 0, liveRuns: 0 })
  t.not(admissions.admit(first), admission)
})

test('a revoked run has nothing reserved for the calls of its context(), which are of step -1', async t => {
  const admissions = control()
  const scope = testRun({ deadline: 60_000, now: () => 0 })
  const asked = new LiveCall(questions.ask(), scope.abort, scope, -1, 0)
  const admission = admissions.admit(asked) as Admission
  t.equal(admission.flow.reserved, 1)
  admissions.revoke(admission, asked)
  t.equal(admission.flow.reserved, 0)
})

test('each call that was coalesced reserves itself, wherever it stands in its step', async t => {
  const flow = new Flow(2, { weight: 0 })
  const admission = new Admission(flow)
  const run = testRun()
  const shared = (index: number) => new LiveCall(questions.ask(), run.abort, run, 0, index, 1)
  admission.reserve(shared(3))
  admission.reserve(shared(7))
  t.match(flow, { reserved: 2, liveRuns: 1 })
  admission.done(shared(3))
  t.match(flow, { reserved: 1, liveRuns: 1 })
  admission.done(shared(7))
  t.match(flow, { reserved: 0, liveRuns: 0 })
  t.equal(run.abort.size, 0)
})

test('a run with two steps at the same time is one live run', async t => {
  const busy = { weight: 0 }
  const flow = new Flow(2, busy)
  const admission = new Admission(flow)
  const run = testRun()
  const step = (index: number) => new LiveCall(questions.ask(), run.abort, run, index, 0, 3)
  admission.reserve(step(0))
  admission.reserve(step(1))
  t.match(flow, { reserved: 6, liveRuns: 1 })
  t.equal(busy.weight, 2)
  for (let nth = 0; nth < 3; nth++) admission.done(step(0))
  t.match(flow, { reserved: 3, liveRuns: 1 })
  run.abort.abort('over')
  t.match(flow, { reserved: 0, liveRuns: 0 })
  t.equal(busy.weight, 0)
})

test('a step whose first calls go to other upstreams reserves its calls too', async t => {
  const flow = new Flow(2, { weight: 0 })
  new Admission(flow).reserve(call(5, 60_000, 3))
  t.equal(flow.reserved, 5)
})
