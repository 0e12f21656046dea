import { test } from 'tap'
import { SharedRetryBudget } from '../../../../src/upstream/policies/retry/shared-retry-budget.ts'

interface Given {
  readonly ratio?: number
  readonly minPerSecond?: number
  readonly processes?: number
}

function arrange({ ratio = 0, minPerSecond = 1, processes = 1 }: Given = {}) {
  const clock = { now: 0 }
  const budget = new SharedRetryBudget({ ratio, minPerSecond }, () => clock.now)
  budget.allowAlone(processes)
  return {
    clock,
    budget,
    deposit: (calls: number) => {
      for (let call = 0; call < calls; call++) budget.deposit()
    },
    /** Withdraws until the budget refuses. Returns the number of withdrawn attempts. */
    withdrawAll: () => {
      let attempts = 0
      while (budget.withdraw()) attempts++
      return attempts
    },
  }
}

test('a budget without a grant has its part of the minimum', t => {
  const { budget, withdrawAll } = arrange({ processes: 3 })
  t.equal(budget.balance, 10 / 3)
  t.equal(withdrawAll(), 3)
  t.end()
})

test('a budget without a grant counts its own calls of the last 10 s', t => {
  const { clock, deposit, withdrawAll } = arrange({ ratio: 0.5, minPerSecond: 0 })
  deposit(4)
  t.equal(withdrawAll(), 2)
  clock.now = 12_000
  deposit(2)
  t.equal(withdrawAll(), 1)
  t.end()
})

test('a granted budget sends its grant, and the ratio of its own calls since it was counted', t => {
  const { budget, deposit, withdrawAll } = arrange({ ratio: 0.5 })
  deposit(6)
  t.same(budget.takeCounts(), { calls: 6, extra: 0 })
  budget.allow(2)
  t.equal(withdrawAll(), 2, 'the calls that were counted are part of the grant')
  deposit(4)
  t.equal(budget.balance, 2)
  t.equal(withdrawAll(), 2)
  t.same(budget.takeCounts(), { calls: 4, extra: 4 })
  t.equal(withdrawAll(), 0, 'a grant ends with the next count')
  t.end()
})

test('a negative grant is paid by the next calls', t => {
  const { budget, deposit, withdrawAll } = arrange({ ratio: 0.5 })
  budget.allow(-1)
  deposit(3)
  t.equal(withdrawAll(), 0)
  deposit(1)
  t.equal(withdrawAll(), 1)
  t.end()
})

test('an attempt that was not sent is returned to the grant, and to the count after it', t => {
  const { budget, withdrawAll } = arrange()
  budget.allow(1)
  t.ok(budget.withdraw())
  budget.refund()
  t.equal(withdrawAll(), 1)
  t.same(budget.takeCounts(), { calls: 0, extra: 1 })
  budget.refund()
  t.same(budget.takeCounts(), { calls: 0, extra: -1 })
  t.end()
})

test('a budget that loses its grant has its part of the minimum, less what it has sent', t => {
  const { budget, withdrawAll } = arrange()
  budget.allow(4)
  t.equal(withdrawAll(), 4)
  budget.allowAlone(2)
  t.equal(withdrawAll(), 1)
  budget.allowAlone(1)
  t.equal(withdrawAll(), 5)
  t.end()
})

test('counts older than the window are not reported after a long time alone', t => {
  const { budget, clock, deposit, withdrawAll } = arrange({ ratio: 1, minPerSecond: 0 })
  deposit(5)
  t.equal(withdrawAll(), 5)
  clock.now = 60_000
  deposit(2)
  t.equal(withdrawAll(), 2)
  t.same(budget.takeCounts(), { calls: 2, extra: 2 })
  t.end()
})
