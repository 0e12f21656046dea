import fc from 'fast-check'
import { test } from 'tap'
import { closedLoop, constantArrivalRate } from '../../../src/commands/load/schedule.ts'

const taken = (schedule: ReturnType<typeof constantArrivalRate>, now: number) => {
  const moments: number[] = []
  for (let moment = schedule.takeDue(now); moment !== undefined; moment = schedule.takeDue(now)) moments.push(moment)
  return moments
}

test('at a fixed rate the moments are fixed beforehand, and none is due before its own', async t => {
  const schedule = constantArrivalRate(100, 1000, 50)
  t.equal(schedule.nextAt(1000), 1000)
  t.same(taken(schedule, 1000), [1000])
  t.equal(schedule.nextAt(1000), 1010)
  t.same(taken(schedule, 1009), [])
  t.equal(schedule.waiting(1035), 3)
  t.same(taken(schedule, 1035), [1010, 1020, 1030], 'late ones keep their moments')
  t.same(taken(schedule, 5000), [1040])
  t.equal(schedule.nextAt(5000), undefined, 'no more are due')
  t.equal(schedule.dueCount(5000), 5)
})

test('a schedule that ends early keeps the earlier requests and has no later ones', async t => {
  const schedule = constantArrivalRate(100, 0, 1000)
  t.same(taken(schedule, 0), [0])
  schedule.endAt(25)
  t.equal(schedule.waiting(900), 2)
  t.same(taken(schedule, 900), [10, 20])
  t.equal(schedule.nextAt(900), undefined)
})

test('each due time is taken once and in order, and the rate decides their number', async () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 5000, noNaN: true }),
      fc.integer({ min: 1, max: 2000 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }),
      (perSecond, ms, steps) => {
        const schedule = constantArrivalRate(perSecond, 7, ms)
        const moments: number[] = []
        let now = 7
        for (const step of [...steps, ms + 20_000]) {
          const waiting = schedule.waiting(now)
          const some = taken(schedule, now)
          // Which side of a moment a sum of fractions falls on may differ by one.
          if (Math.abs(waiting - some.length) > 1 || some.some(moment => moment > now)) return false
          moments.push(...some)
          now += step
        }
        moments.push(...taken(schedule, now))
        return (
          moments.length === Math.max(1, Math.round((perSecond * ms) / 1000)) &&
          moments.every((moment, at) => at === 0 || moment > (moments[at - 1] as number))
        )
      },
    ),
  )
})

test('without a rate a request is due whenever a connection is free, until the end', async t => {
  const schedule = closedLoop(0, 100)
  t.equal(schedule.takeDue(3), 3)
  t.equal(schedule.takeDue(3), 3)
  t.equal(schedule.waiting(50), 0)
  t.equal(schedule.nextAt(50), 100)
  t.equal(schedule.takeDue(100), undefined)
  t.equal(schedule.nextAt(100), undefined)
  t.equal(schedule.dueCount(100), 2)
})
