import { test } from 'tap'
import { disturbanceOf } from '../../bench/compare/measure/disturbance.ts'

test('a window counts when every response was 200 and others had little of the core of the target', async t => {
  t.equal(disturbanceOf({ non200: 0, foreign: { target: 0.25, load: 0.9 } }, 0.25), undefined)
  t.equal(disturbanceOf({ non200: 0, foreign: null }, 0.25), undefined, 'a machine that cannot tell')
})

test('a window that does not count says why', async t => {
  t.equal(disturbanceOf({ non200: 3, foreign: null }, 0.25), '3 responses were not 200')
  t.equal(
    disturbanceOf({ non200: 0, foreign: { target: 0.3, load: 0 } }, 0.25),
    'other processes had 30 % of the core of the target',
  )
})
