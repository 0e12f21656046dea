import { test } from 'tap'
import { bulkhead } from '../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { deadline } from '../../../src/upstream/policies/deadline.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { questions } from '../../helpers/questions.ts'

test('one limit covers the waiting for a permit and what comes after it', async t => {
  const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 10 })
  const bottom = heldService()
  const inner = layer(bottom.service)
  const service = deadline({ upstream: 'nobody', deadline: 30 })(inner)
  const run = testRun()
  const blocker = inner(testRun().ask(questions.ask()))
  const waits = failure(service(run.ask(questions.ask())))
  t.match(gauge, { active: 1, queued: 1 })
  const expected = {
    code: 'DEADLINE_EXCEEDED',
    statusCode: 504,
    source: 'nobody',
    message: /the limit of a call is 30 ms/,
  }
  t.match(await waits, expected)
  t.ok(run.now() >= 28, 'not before')
  t.equal(bottom.taken, 1, 'it was never sent')
  t.match(gauge, { active: 1, queued: 0 })
  bottom.held[0]?.answer()
  await blocker
  t.match(await failure(service(run.ask(questions.ask()))), expected, 'and what comes after the wait')
  t.match(gauge, { active: 0, queued: 0 })
  t.equal(run.abort.aborted, false, 'the run goes on')
})

test('a call whose run ends sooner has no limit of its own', async t => {
  const bottom = heldService()
  const run = testRun({ deadline: 10_000 })
  const asked = deadline({ upstream: 'nobody', deadline: 20_000 })(bottom.service)(run.ask(questions.ask()))
  t.equal(bottom.held[0]?.call.abort, run.abort)
  bottom.held[0]?.answer()
  await asked
})
