import fc from 'fast-check'
import { test } from 'tap'
import { aimd, type Aimd } from '../../../../src/upstream/policies/bulkhead/aimd.ts'

/** Ends so many calls that started just now, with all permits in use. */
function end(limit: Aimd, calls: number, isLost: boolean, active = limit.limit): void {
  for (let call = 0; call < calls; call++) limit.ended(limit.lowered, isLost, active)
}

/** Loses calls that each start after the one before was lost, until the permits are fewer. */
function lower(limit: Aimd): void {
  const { lowered } = limit
  while (limit.lowered === lowered) end(limit, 1, true)
}

test('the limit starts at 20, or at its maximum where that is less', async t => {
  t.equal(aimd({ max: 200 }).limit, 20)
  t.equal(aimd({ max: 7 }).limit, 7)
  t.equal(aimd({ max: 200, start: 3 }).limit, 3)
})

test('as many answers as there are permits add one permit', async t => {
  const limit = aimd({ max: 200 })
  end(limit, 19, false)
  t.equal(limit.limit, 20)
  end(limit, 1, false)
  t.equal(limit.limit, 21)
  end(limit, 20, false)
  t.equal(limit.limit, 21, 'a round is as long as there are permits now')
  end(limit, 1, false)
  t.equal(limit.limit, 22)
})

test('a round has ten answers at least', async t => {
  const limit = aimd({ max: 200, start: 1 })
  end(limit, 9, false)
  t.equal(limit.limit, 1)
  end(limit, 1, false)
  t.equal(limit.limit, 2)
})

test('a round that ends less than half full adds none: it shows nothing of what more calls would meet', async t => {
  const limit = aimd({ max: 200 })
  end(limit, 100, false, 9)
  t.equal(limit.limit, 20)
  end(limit, 20, false, 10)
  t.equal(limit.limit, 21)
})

test('the limit stays between its minimum and its maximum', async t => {
  const limit = aimd({ max: 22, min: 2 })
  end(limit, 1000, false)
  t.equal(limit.limit, 22)
  end(limit, 1000, true)
  t.equal(limit.limit, 2)
})

test('losses beyond those a round is forgiven take a tenth, rounded down', async t => {
  for (const [start, forgiven, after] of [
    [200, 11, 180],
    [64, 4, 57],
    [20, 2, 18],
    [19, 1, 17],
    [10, 1, 9],
    [2, 1, 1],
    [1, 1, 1],
  ] as const) {
    const limit = aimd({ max: 200, start })
    end(limit, forgiven, true)
    t.equal(limit.limit, start, `${forgiven} of ${start} are forgiven`)
    end(limit, 1, true)
    t.equal(limit.limit, after, `one more is not: ${start} become ${after}`)
  }
})

test('a forgiven loss is not counted in the next round', async t => {
  const limit = aimd({ max: 200 })
  for (let round = 0; round < 30; round++) {
    end(limit, 2, true)
    end(limit, limit.limit, false)
  }
  t.equal(limit.limit, 50, 'thirty rounds with two losses each have added thirty')
})

test('fifty calls under way that are all lost lower it once, and the next lot once more', async t => {
  const limit = aimd({ max: 200, start: 50 })
  for (const expected of [45, 40, 36]) {
    const noted = limit.lowered
    for (let call = 0; call < 50; call++) limit.ended(noted, true, 50)
    t.equal(limit.limit, expected)
  }
})

test('answers to calls that started before it was lowered do not raise it again', async t => {
  const limit = aimd({ max: 200 })
  const { lowered: noted } = limit
  lower(limit)
  t.equal(limit.limit, 18)
  for (let call = 0; call < 100; call++) limit.ended(noted, false, 18)
  t.equal(limit.limit, 18)
  end(limit, 18, false)
  t.equal(limit.limit, 19)
})

test('an upstream that loses all leaves a trickle of 1 after 14 times, and comes back with one permit a round', async t => {
  const limit = aimd({ max: 200 })
  while (limit.limit > 1) lower(limit)
  t.equal(limit.lowered, 14)
  lower(limit)
  t.equal(limit.limit, 1)
  let answers = 0
  for (; limit.limit < 20; answers++) end(limit, 1, false)
  t.equal(answers, 235, 'ten rounds of 10 answers, then 11 + 12 + … + 19')
})

test('under any history the limit stays within its bounds, and changes by one up or by a tenth down', t => {
  const bounds = fc
    .tuple(fc.integer({ min: 1, max: 50 }), fc.nat(200), fc.nat(300))
    .map(([min, more, start]) => ({ min, max: min + more, start }))
  const act = fc.record({
    isLost: fc.boolean(),
    late: fc.boolean(),
    active: fc.nat(250),
    times: fc.integer({ min: 1, max: 120 }),
  })
  fc.assert(
    fc.property(bounds, fc.array(act, { maxLength: 80 }), ({ min, max, start }, acts) => {
      const limit = aimd({ min, max, start })
      for (const { isLost, late, active, times } of acts) {
        for (let time = 0; time < times; time++) {
          const { limit: permits, lowered } = limit
          limit.ended(lowered - (late ? 1 : 0), isLost, active)
          if (limit.limit < min || limit.limit > max) throw new Error(`${limit.limit} is not within ${min} and ${max}`)
          if (late && limit.limit !== permits) throw new Error('a late one changed it')
          if (
            isLost
              ? ![permits, Math.max(min, Math.floor(permits * 0.9))].includes(limit.limit)
              : ![permits, permits + 1].includes(limit.limit)
          )
            throw new Error(`${permits} became ${limit.limit}`)
          if (limit.limit < permits && limit.lowered !== lowered + 1)
            throw new Error('it was lowered and does not say so')
        }
      }
    }),
  )
  t.end()
})
