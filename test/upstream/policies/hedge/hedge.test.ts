import { test } from 'tap'
import { UpstreamError } from '../../../../src/errors.ts'
import { Abort } from '../../../../src/core/abort.ts'
import type { Call } from '../../../../src/upstream/call/call.ts'
import { RetryBudget } from '../../../../src/upstream/policies/retry/retry-budget.ts'
import { bulkhead } from '../../../../src/upstream/policies/bulkhead/bulkhead.ts'
import { hedge } from '../../../../src/upstream/policies/hedge/hedge.ts'
import { stack, type Layer } from '../../../../src/upstream/call/layer.ts'
import { retry } from '../../../../src/upstream/policies/retry/retry.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { heldService } from '../../../helpers/held-service.ts'
import { Listener } from '../../../helpers/listener.ts'
import { questions } from '../../../helpers/questions.ts'
import { turn } from '../../../helpers/turn.ts'
import { until } from '../../../helpers/until.ts'

const lost = (code: 'UPSTREAM_RESET' | 'UPSTREAM_BUSY' = 'UPSTREAM_RESET') => new UpstreamError(code, 'nobody')

interface Setting {
  readonly delay?: number | undefined
  readonly share?: number
  readonly budget?: RetryBudget
  readonly now?: () => number
  readonly below?: readonly Layer[]
}

function arrange({
  delay,
  share = 1,
  budget = new RetryBudget(),
  now = () => performance.now(),
  below = [],
}: Setting = {}) {
  const bottom = heldService()
  const layers = [hedge({ delay, percentile: 98, maxRatio: share, budget, now }), ...below]
  const service = stack(layers, call => {
    call.attempt.sent = true
    return bottom.service(call)
  })
  const run = testRun()
  return {
    bottom,
    send: (ask: Call<unknown> = questions.ask(), abort = new Abort()) => service(run.ask(ask, { abort })),
  }
}

/** Resolves when a call elsewhere has had its second attempt after so many ms: what was due before has happened. */
async function hedgedElsewhere(delay: number) {
  const { bottom, send } = arrange({ delay })
  const asked = send()
  await bottom.arrived(2)
  bottom.held[0]?.answer()
  await asked
}

test('a second attempt is sent when the first takes long, and its answer wins', async t => {
  const { bottom, send } = arrange({ delay: 2 })
  const abort = new Abort()
  const asked = send(questions.ask(), abort)
  await bottom.arrived(2)
  t.equal(bottom.held.length, 2, 'the first goes on')
  bottom.held[1]?.answer('second')
  t.equal((await asked).value, 'second')
  t.equal(bottom.held.length, 0, 'the first was stopped')
  t.equal(abort.size, 0, 'all listeners are removed')
})

test('the second attempt of a call that was repeated without charge needs a new connection too', async t => {
  const bottom = heldService()
  const budget = new RetryBudget()
  const service = stack(
    [
      retry({ maxAttempts: 2, initialDelay: 0, maxDelay: 0, budget }),
      hedge({ delay: 2, percentile: 98, maxRatio: 1, budget }),
    ],
    bottom.service,
  )
  const asked = service(testRun().ask(questions.ask()))
  bottom.held[0]?.fail(new UpstreamError('UPSTREAM_RESET', 'nobody', { isIdleClose: true }))
  await bottom.arrived(3)
  t.same(
    bottom.held.map(({ call }) => call.attempt.needsNew),
    [true, true],
  )
  bottom.held[1]?.answer('second')
  t.equal((await asked).value, 'second')
})

test('the second attempt is stopped when the first one succeeds', async t => {
  const { bottom, send } = arrange({ delay: 2 })
  const asked = send()
  await bottom.arrived(2)
  bottom.held[0]?.answer('first')
  t.equal((await asked).value, 'first')
  t.equal(bottom.held.length, 0)
})

test('a first that answers in time, or fails in time, has no second', async t => {
  const { bottom, send } = arrange({ delay: 60_000 })
  const asked = send()
  bottom.held[0]?.answer()
  await asked
  const failed = failure(send())
  bottom.held[0]?.fail(lost())
  t.match(await failed, { code: 'UPSTREAM_RESET' })
  t.equal(bottom.taken, 2)
})

test('the first good answer wins, whichever fails before it', async t => {
  const { bottom, send } = arrange({ delay: 2 })
  const one = send()
  await bottom.arrived(2)
  bottom.held[0]?.fail(lost())
  await turn()
  bottom.held[0]?.answer('second')
  t.equal((await one).value, 'second')

  const other = send()
  await bottom.arrived(4)
  bottom.held[1]?.fail(lost())
  await turn()
  bottom.held[0]?.answer('first')
  t.equal((await other).value, 'first')
})

test('the call fails with the first failure when both attempts fail', async t => {
  const { bottom, send } = arrange({ delay: 2 })
  const abort = new Abort()
  const asked = failure(send(questions.ask(), abort))
  await bottom.arrived(2)
  bottom.held[1]?.fail(lost('UPSTREAM_BUSY'))
  await turn()
  bottom.held[0]?.fail(lost('UPSTREAM_RESET'))
  t.match(await asked, { code: 'UPSTREAM_RESET' })
  t.equal(abort.size, 0)
})

test('a caller who leaves stops both attempts', async t => {
  const { bottom, send } = arrange({ delay: 2 })
  const abort = new Abort()
  const asked = failure(send(questions.ask(), abort))
  await bottom.arrived(2)
  abort.abort('gone')
  t.equal(await asked, 'gone')
  t.equal(bottom.held.length, 0)
  t.equal(abort.size, 0)
  t.equal(await failure(send(questions.ask(), abort)), 'gone', 'and one who had gone before is not asked for')
})

test('an unsafe call is never sent twice', async t => {
  const { bottom, send } = arrange({ delay: 1 })
  const told = send(questions.tell({ body: {} }))
  // A safe one beside it shows that the time is over.
  const asked = send()
  await bottom.arrived(3)
  bottom.held[0]?.answer()
  await told
  bottom.held[0]?.answer()
  await asked
  t.equal(bottom.taken, 3)
})

test('second attempts stay within maxRatio of the calls, and there is none without the retry budget', async t => {
  const own = arrange({ delay: 1, share: 0.5 })
  const asked = Array.from({ length: 10 }, () => own.send())
  await own.bottom.arrived(15)
  await turn()
  while (own.bottom.held.length > 0) own.bottom.held[0]?.answer()
  await Promise.all(asked)
  t.equal(own.bottom.taken, 15)

  const spent = arrange({ delay: 1, budget: new RetryBudget({ ratio: 0, minPerSecond: 0.2 }, () => 0) })
  const others = Array.from({ length: 10 }, () => spent.send())
  await spent.bottom.arrived(12)
  await turn()
  while (spent.bottom.held.length > 0) spent.bottom.held[0]?.answer()
  await Promise.all(others)
  t.equal(spent.bottom.taken, 12)
})

test('a second attempt takes a free permit and never waits for one; what it did not use is not spent', async t => {
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, () => 0)
  const { layer, gauge } = bulkhead({ upstream: 'nobody', concurrency: 2, maxQueue: 9 })
  const { bottom, send } = arrange({ delay: 1, budget, below: [layer] })
  const asked = [send(), send()]
  const waiting = send()
  await hedgedElsewhere(3)
  t.equal(bottom.taken, 2)
  t.equal(gauge.queued, 1, 'the third waits, and no second attempt of anybody')
  t.ok(budget.hasBalance)
  await until(() => {
    bottom.held[0]?.answer()
    return bottom.taken >= 3 && bottom.held.length === 0
  })
  await Promise.all([...asked, waiting])
  t.equal(gauge.active, 0)
})

test('a second attempt that finds no permit, or no budget, is tried again as long as the first is under way', async t => {
  const { layer } = bulkhead({ upstream: 'nobody', concurrency: 1, maxQueue: 9 })
  const busy = arrange({ delay: 1, below: [layer] })
  const other = busy.send()
  const [blocker] = busy.bottom.held
  const waiting = busy.send()
  await hedgedElsewhere(3)
  t.equal(busy.bottom.taken, 1, 'there is one permit')
  blocker?.answer()
  await other
  await busy.bottom.arrived(2)
  busy.bottom.held[0]?.answer()
  await waiting
  t.equal(busy.bottom.taken, 2)

  const clock = { now: 0 }
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, () => clock.now)
  budget.withdraw()
  const { bottom, send } = arrange({ delay: 1, budget })
  const slow = send()
  await hedgedElsewhere(3)
  t.equal(bottom.taken, 1, 'the budget is spent')
  clock.now = 60_000
  await bottom.arrived(2)
  bottom.held[1]?.answer('second')
  t.equal((await slow).value, 'second')
})

test('a second attempt that was stopped before it left is not tried again when the first has answered', async t => {
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, () => 0)
  let seconds = 0
  const stuck: Layer = next => call => {
    if (call.attempt.mayWait) return next(call)
    seconds++
    return new Promise((_resolve, reject) => {
      call.abort.add(new Listener(reject))
    })
  }
  const { bottom, send } = arrange({ delay: 1, budget, below: [stuck] })
  const asked = send()
  await hedgedElsewhere(3)
  bottom.held[0]?.answer()
  await asked
  await hedgedElsewhere(3)
  t.equal(seconds, 1)
  t.ok(budget.hasBalance, 'and it is not spent')
})

test('the delay of a hedge is the percentile of the latest calls, and there is no hedge until enough calls are known', async t => {
  const clock = { now: 0 }
  const { bottom, send } = arrange({ now: () => clock.now })
  const took = async (ms: number, end: 'answer' | 'timeout' | 'reset' = 'answer') => {
    const asked = send()
    clock.now += ms
    if (end === 'answer') bottom.held[0]?.answer()
    else bottom.held[0]?.fail(end === 'timeout' ? new UpstreamError('UPSTREAM_TIMEOUT', 'nobody') : lost())
    await asked.catch(() => {})
  }
  for (let call = 0; call < 95; call++) await took(1)
  // Quick failures say nothing of how long answers take, timeouts do.
  for (let call = 0; call < 50; call++) await took(0, 'reset')
  for (let call = 0; call < 4; call++) await took(5, 'timeout')
  const early = send()
  await hedgedElsewhere(12)
  t.equal(bottom.held.length, 1, 'of 99 nothing is concluded')
  clock.now += 5
  bottom.held[0]?.answer()
  await early

  const before = bottom.taken
  clock.now += 250
  const slow = send()
  await bottom.arrived(before + 2)
  t.equal(bottom.held.length, 2)
  bottom.held[0]?.answer()
  await slow
})

test('a call that was given up is not sent a second time, however long its first attempt takes to end', async t => {
  const budget = new RetryBudget()
  const firsts: ((error: unknown) => void)[] = []
  const service = stack(
    [hedge({ delay: 2, percentile: 98, maxRatio: 1, budget })],
    () =>
      new Promise((_, reject) => {
        firsts.push(reject)
      }),
  )
  const run = testRun()
  const asked = failure(service(run.ask(questions.ask())))
  run.abort.abort('gone')
  await hedgedElsewhere(10)
  t.equal(firsts.length, 1)
  firsts[0]?.('gone')
  t.equal(await asked, 'gone')
})
