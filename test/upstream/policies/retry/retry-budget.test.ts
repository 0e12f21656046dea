import fc from 'fast-check'
import { test } from 'tap'
import { RetryBudget } from '../../../../src/upstream/policies/retry/retry-budget.ts'

/** Calls at an even rate that all fail, with so many attempts each; how often each call was sent on average. */
function amplification(perSecond: number, seconds: number, attempts: number): number {
  let now = 0
  const budget = new RetryBudget({}, () => now)
  let sent = 0
  const calls = perSecond * seconds
  for (let call = 0; call < calls; call++) {
    now = (call * 1000) / perSecond
    budget.deposit()
    sent++
    for (let attempt = 1; attempt < attempts && budget.withdraw(); attempt++) sent++
  }
  return sent / calls
}

test('an upstream that fails every call is sent little more than one that fails none', t => {
  const slow = amplification(200, 10, 3)
  const fast = amplification(1000, 10, 3)
  t.ok(slow <= 1.26, `${slow} at 200 a second`)
  t.ok(fast <= 1.21, `${fast} at 1000 a second`)
  t.ok(amplification(1000, 60, 3) <= 1.21, 'also over a minute')
  t.ok(slow > 1.2 && fast > 1.2, 'and what is allowed is spent')
  t.end()
})

test('a few calls may all be sent again', t => {
  t.equal(amplification(5, 10, 3), 3)
  t.end()
})

test('asking whether it allows spends nothing', t => {
  const budget = new RetryBudget({ ratio: 0, minPerSecond: 0.1 }, () => 0)
  t.ok(budget.hasBalance)
  t.ok(budget.hasBalance)
  t.ok(budget.withdraw())
  t.notOk(budget.hasBalance)
  t.notOk(budget.withdraw())
  t.end()
})

test('the real clock is the one it goes by', t => {
  const budget = new RetryBudget()
  for (let taken = 0; taken < 100; taken++) t.ok(budget.withdraw())
  t.notOk(budget.withdraw())
  t.end()
})

test('in no stretch of time are there more than 0.2 of its calls, 10 a second, and a reserve', t => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 3000 }),
    calls: fc.integer({ min: 0, max: 40 }),
    asks: fc.integer({ min: 0, max: 200 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      let now = 0
      const budget = new RetryBudget({}, () => now)
      let calls = 0
      let retries = 0
      for (const { after, calls: more, asks } of steps) {
        now += after
        for (let call = 0; call < more; call++) budget.deposit()
        calls += more
        for (let ask = 0; ask < asks; ask++) if (budget.withdraw()) retries++
        if (retries > 0.2 * calls + (10 * now) / 1000 + 100) return false
      }
      return true
    }),
  )
  t.end()
})
