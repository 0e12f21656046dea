import { test } from 'tap'
import { regressions } from '../../bench/compare/regression.ts'

const baseline = { 5: 1.2, 20: 1 }

test('a ratio within fifteen hundredths of the committed one is good', async t => {
  t.same(regressions(baseline, [{ 5: 1.2, 20: 1.15 }]), [])
  t.same(regressions(baseline, [{ 5: 0.3, 20: 0.2 }]), [])
})

test('a ratio that is worse in every run is a regression', async t => {
  t.same(regressions(baseline, [{ 5: 1.2, 20: 1.16 }]), ['20'])
  t.same(regressions(baseline, [{ 5: 1.2, 20: 1.16 }, { 20: 2 }, { 20: 1.151 }]), ['20'])
  t.same(
    regressions(baseline, [
      { 5: 2, 20: 2 },
      { 5: 2, 20: 2 },
    ]),
    ['5', '20'],
  )
})

test('one good run clears a fan-out', async t => {
  t.same(regressions(baseline, [{ 5: 1.2, 20: 1.5 }, { 20: 1.1 }]), [])
  t.same(regressions(baseline, [{ 5: 2, 20: 1.5 }, { 5: 2, 20: 1.1 }, { 5: 2 }]), ['5'])
})
