import fc from 'fast-check'
import { test } from 'tap'
import { SlidingWindow } from '../../../src/upstream/policies/sliding-window.ts'

test('a count stays for the window and is gone after another tenth of it', t => {
  let now = 0
  const seen = new SlidingWindow(1000, () => now)
  seen.add(1, 2)
  now = 1000
  t.same([seen.first, seen.second], [1, 2])
  now = 1099
  t.same([seen.first, seen.second], [1, 2])
  now = 1100
  t.same([seen.first, seen.second], [0, 0])
  t.end()
})

test('after a long silence nothing is left, and counting goes on', t => {
  let now = 5
  const seen = new SlidingWindow(1000, () => now)
  seen.add(7, 7)
  now = 1e9
  t.equal(seen.first, 0)
  seen.add(1, 0)
  t.equal(seen.first, 1)
  t.end()
})

test('a cleared sliding window counts from zero', t => {
  let now = 0
  const seen = new SlidingWindow(100, () => now)
  seen.add(3, 1)
  seen.clear()
  now = 55
  seen.add(1, 1)
  t.same([seen.first, seen.second], [1, 1])
  t.end()
})

test('no window is ever undercounted, and nothing is counted that is older than a window and a tenth', t => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ after: fc.integer({ min: 0, max: 400 }), count: fc.integer({ min: 1, max: 9 }) }), {
        maxLength: 60,
      }),
      steps => {
        let now = 0
        const seen = new SlidingWindow(1000, () => now)
        const all: { at: number; count: number }[] = []
        for (const { after, count } of steps) {
          now += after
          seen.add(count, 0)
          all.push({ at: now, count })
          const within = (ms: number) =>
            all.filter(({ at }) => at > now - ms).reduce((sum, each) => sum + each.count, 0)
          if (seen.first < within(1000) || seen.first > within(1100)) return false
        }
        return true
      },
    ),
  )
  t.end()
})
