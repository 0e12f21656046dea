import { test } from 'tap'
import { LoopShare } from '../../src/core/loop-share.ts'
import { elapsed } from '../helpers/until.ts'

test('a loop is busy if it was active for 90 % of the last 50 ms or more', t => {
  let activeMs = 500
  const loop = new LoopShare(() => activeMs)
  t.notOk(loop.isBusy(1000), 'nothing was measured yet')
  activeMs += 45
  t.ok(loop.isBusy(1050))
  activeMs += 44
  t.notOk(loop.isBusy(1100))
  t.end()
})

test('the share of the loop stays until the next 50 ms are over', t => {
  let activeMs = 0
  const loop = new LoopShare(() => activeMs)
  loop.isBusy(0)
  activeMs = 50
  t.ok(loop.isBusy(50))
  t.ok(loop.isBusy(99))
  t.notOk(loop.isBusy(100))
  t.end()
})

test('a loop that was not measured for more than a second counts as idle', t => {
  let activeMs = 0
  const loop = new LoopShare(() => activeMs)
  loop.isBusy(0)
  activeMs = 1001
  t.notOk(loop.isBusy(1001))
  activeMs += 50
  t.ok(loop.isBusy(1051))
  t.end()
})

test('the loop of this process is busy while it computes and idle while it waits', async t => {
  // Node.js measures the loop from its first turn on.
  await new Promise(setImmediate)
  const loop = new LoopShare()
  loop.isBusy(performance.now())
  const until = performance.now() + 60
  while (performance.now() < until) Math.sqrt(until)
  t.ok(loop.isBusy(performance.now()))
  await elapsed(300)
  t.notOk(loop.isBusy(performance.now()))
})
