import { test } from 'tap'
import { UpstreamError } from '../../../../src/errors.ts'
import { HoldingTime } from '../../../../src/upstream/policies/bulkhead/holding-time.ts'

test('the time that a permit is held is learned from answers and from time limits, and from no other failure', t => {
  const hold = new HoldingTime()
  t.equal(hold.ms, 25, 'a guess')
  let now = 0
  for (const error of [
    new Error('the caller left'),
    new UpstreamError('UPSTREAM_UNREACHABLE', 'prices'),
    new UpstreamError('UPSTREAM_RESET', 'prices'),
  ]) {
    hold.record(1000, (now += 1000), error)
    t.equal(hold.ms, 25, error.message)
  }
  let expected = 25
  for (const error of [
    undefined,
    new UpstreamError('UPSTREAM_STATUS', 'prices', { upstreamStatus: 500 }),
    new UpstreamError('UPSTREAM_TIMEOUT', 'prices'),
    new UpstreamError('DEADLINE_EXCEEDED', 'prices'),
  ]) {
    hold.record(1000, (now += 1000), error)
    expected += (1000 - expected) / 16
    t.equal(hold.ms, expected, error?.code ?? 'an answer')
  }
  t.end()
})

test('a pause in which many calls hold their permits for longer hardly changes the average', t => {
  const hold = new HoldingTime()
  for (let now = 0; now < 5000; now++) hold.record(2, now)
  t.ok(Math.abs(hold.ms - 2) < 0.1, `${hold.ms} ms`)
  for (let call = 0; call < 500; call++) hold.record(40, 5000 + call * 0.01)
  t.ok(hold.ms < 4, `${hold.ms} ms after 500 calls of 40 ms within 5 ms`)
  for (let now = 5005; now < 7000; now++) hold.record(40, now)
  t.ok(hold.ms > 38, `${hold.ms} ms when they take 40 ms for two seconds`)
  t.end()
})
