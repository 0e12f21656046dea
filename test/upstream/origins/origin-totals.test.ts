import { test } from 'tap'
import { LeftOrigins } from '../../../src/upstream/origins/origin-totals.ts'

const counts = (origin: string, attempts: number) => ({ origin, attempts, failed: 1, ejections: 2 })

test('the totals contain the present origins and those that have left', t => {
  const left = new LeftOrigins()
  t.same(left.totals([counts('a:80', 5)]), [counts('a:80', 5)])
  left.leave(counts('a:80', 6))
  left.ended('a:80', 'ok')
  left.ended('a:80', 'failed')
  left.ended('a:80', 'ignored')
  left.ended('a:80', 'aborted')
  t.same(left.totals([counts('b:80', 1)]), [
    { origin: 'a:80', attempts: 8, failed: 2, ejections: 2 },
    counts('b:80', 1),
  ])
  t.same(
    left.totals([counts('a:80', 1)]),
    [
      { origin: 'a:80', attempts: 9, failed: 3, ejections: 4 },
      { origin: 'b:80', attempts: 0, failed: 0, ejections: 0 },
    ],
    'an origin that returns adds to its totals',
  )
  t.end()
})

test('the first 100 origins have totals of their own', t => {
  const left = new LeftOrigins()
  for (let at = 0; at < 99; at++) left.leave(counts(`${at}:80`, 1))
  const totals = left.totals([counts('present:80', 4), counts('late:80', 2)])
  t.equal(totals.length, 101)
  t.same(totals.slice(99), [counts('present:80', 4), counts('other', 2)])
  left.leave(counts('late:80', 3))
  left.leave(counts('0:80', 3))
  const later = left.totals([counts('later:80', 5)])
  t.same(later.at(-1), { origin: 'other', attempts: 8, failed: 2, ejections: 4 })
  t.same(later[0], { origin: '0:80', attempts: 4, failed: 2, ejections: 4 })
  t.end()
})
