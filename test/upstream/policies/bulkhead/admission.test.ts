import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { LiveCall } from '../../../../src/upstream/call/call.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { testRun, type TestRun } from '../../../helpers/call.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { questions } from '../../../helpers/questions.ts'

/** One permit, a long queue, and a clock that moves when told to. */
function arrange() {
  let now = 0
  const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 1000 })
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

test('a run that what is announced before it would leave no time is refused at once, whatever room the queue has', async t => {
  const place = arrange()
  place.enter(place.run(60_000), 50)
  const hurried = place.enter(place.run(800))
  const patient = place.enter(place.run(60_000))
  await setImmediate()
  // 51 calls one after the other at a guess of 25 ms are 1275 ms, and half of 800 is not enough.
  t.equal(hurried.refusal, 'BULKHEAD_FULL')
  t.equal(patient.refusal, undefined)
  t.equal(place.gauge.queued, 1)
})

test('what a run announced and does not ask is forgotten when it is over', async t => {
  const place = arrange()
  const first = place.run(60_000)
  place.enter(first, 50)
  await place.finishAfter(25)
  place.enter(place.run(60_000))
  first.abort.abort(new Error('over'))
  const next = place.enter(place.run(800))
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
