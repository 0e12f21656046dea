import { test } from 'tap'
import { pickOfTwo, type Candidate } from '../../../src/upstream/origins/pick.ts'
import { randomOf } from '../../helpers/random-of.ts'

/** A candidate with a constant cost and share. */
const candidate = (cost: number, share = 1): Candidate => ({ cost: () => cost, share: () => share })

/** The part of 20,000 choices that each candidate gets. */
function sharesOf(candidates: readonly Candidate[], isEven: boolean): number[] {
  const random = randomOf(1)
  const counts = new Map<Candidate | undefined, number>()
  for (let made = 0; made < 20_000; made++) {
    const chosen = pickOfTwo(candidates, isEven, 0, random)
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
  }
  return candidates.map(each => (counts.get(each) ?? 0) / 20_000)
}

const near = (share: number, expected: number) => Math.abs(share - expected) < 0.015

test('without candidates none is chosen, and one alone is chosen without random numbers', t => {
  const random = () => t.fail('a random number was used')
  const alone = candidate(5)
  t.equal(pickOfTwo([], true, 0, random as () => never), undefined)
  t.equal(pickOfTwo([alone], false, 0, random as () => never), alone)
  t.end()
})

test('of two candidates the cheaper one is chosen each time', t => {
  t.same(sharesOf([candidate(2), candidate(1)], true), [0, 1])
  t.end()
})

test('the most expensive of ten candidates is never chosen, and the cheapest by two draws of ten', t => {
  const shares = sharesOf(
    Array.from({ length: 10 }, (_, index) => candidate(index + 1)),
    true,
  )
  t.equal(shares[9], 0)
  t.ok(near(shares[0] as number, 0.2), `${shares[0]}`)
  t.end()
})

test('candidates of equal cost and share are chosen equally', t => {
  const shares = sharesOf([candidate(1), candidate(1), candidate(1), candidate(1)], true)
  t.ok(
    shares.every(share => near(share, 0.25)),
    shares.join(' '),
  )
  t.end()
})

test('candidates of equal cost are chosen in proportion to their shares', t => {
  const shares = sharesOf([candidate(1, 1), candidate(1, 2), candidate(1, 5)], false)
  t.ok(
    shares.every((share, index) => near(share, [1 / 8, 2 / 8, 5 / 8][index] as number)),
    shares.join(' '),
  )
  t.end()
})

test('a small difference of the costs does not change the proportions of unequal shares', t => {
  const [small] = sharesOf([candidate(1, 1), candidate(2.9, 9)], false)
  t.ok(near(small as number, 0.1), `${small}`)
  t.end()
})

test('a candidate that costs more than three times as much is not chosen by its larger share', t => {
  t.same(sharesOf([candidate(1, 1), candidate(3.1, 9)], false), [1, 0])
  t.end()
})

test('two candidates of equal shares are compared exactly, also beside one of another share', t => {
  const [one, other] = sharesOf([candidate(1, 1), candidate(1.1, 1), candidate(1000, 0.1)], false)
  t.ok((one as number) > 0.9, `${one}`)
  t.ok((other as number) < 0.1, `${other}`)
  t.end()
})

test('a random number that is rounded up to the sum of the shares chooses the last candidate', t => {
  const candidates = [candidate(1, 0.1), candidate(1, 0.2), candidate(1, 0.3)]
  t.equal(
    pickOfTwo(candidates, false, 0, () => 1),
    candidates[2],
  )
  t.end()
})
