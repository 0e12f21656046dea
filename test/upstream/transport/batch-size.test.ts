import { test } from 'tap'
import { BatchSize } from '../../../src/upstream/transport/batch-size.ts'

/** Learns of answers of which one in `period` was slow. */
function answered(size: BatchSize, count: number, period: number): void {
  for (let answer = 1; answer <= count; answer++) size.record(answer % period === 0)
}

test('batches are as long as they may be while nothing is slow', t => {
  const size = new BatchSize(10)
  t.equal(size.current, 10)
  answered(size, 10_000, Infinity)
  t.equal(size.current, 10)
  t.end()
})

test('the more answers are slow the shorter they are, and long again when none is', t => {
  const size = new BatchSize(10)
  answered(size, 10_000, 1000)
  t.equal(size.current, 10, 'one in a thousand')
  answered(size, 10_000, 200)
  t.ok(size.current >= 3 && size.current <= 4, `one in two hundred: ${size.current}`)
  answered(size, 10_000, 100)
  t.ok(size.current <= 2, `one in a hundred: ${size.current}`)
  answered(size, 10_000, 5)
  t.equal(size.current, 1, 'one in five')
  answered(size, 10_000, Infinity)
  t.equal(size.current, 10)
  t.end()
})

test('slow is a batch that others have overtaken several times, and not one that all wait with', t => {
  const size = new BatchSize(2)
  for (let call = 0; call < 8; call++) size.requestStarted()
  const { start } = size
  for (let call = 0; call < 8; call++) size.requestEnded()
  t.notOk(size.isSlow(start), 'they were there before')
  for (let call = 0; call < 32; call++) {
    size.requestStarted()
    size.requestEnded()
  }
  t.notOk(size.isSlow(start))
  size.requestStarted()
  size.requestEnded()
  t.ok(size.isSlow(start))
  t.notOk(size.isSlow(size.start))
  t.end()
})
