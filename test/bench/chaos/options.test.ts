import { test } from 'tap'
import { partNames, readOptions } from '../../../bench/scenarios/chaos/options.ts'

test('the defaults are ten minutes of all parts with 96 MB', async t => {
  t.same(readOptions([]), { seconds: 600, heap: 96, workers: 1, rate: 100, parts: partNames })
})

test('parts can be chosen or left out, and the healthy callers are always there', async t => {
  t.same(readOptions(['--only', 'tiny,nested'])?.parts, ['healthy', 'tiny', 'nested'])
  t.same(
    readOptions(['--without', 'tiny,healthy'])?.parts,
    partNames.filter(name => name !== 'tiny'),
  )
  t.match(readOptions(['--seconds', '60', '--heap', '256', '--workers', '2', '--rate', '5']), {
    seconds: 60,
    heap: 256,
    workers: 2,
    rate: 5,
  })
})

test('the help reads nothing more, and a bad option is named', async t => {
  t.equal(readOptions(['--help']), undefined)
  t.throws(() => readOptions(['--only', 'tiny', '--without', 'slow']), /--only and --without exclude each other/)
  t.throws(() => readOptions(['--only', 'teeny']), /--only: unknown part 'teeny': use healthy, /)
  for (const value of ['0', '-1', '1.5', 'x', ''])
    t.throws(
      () => readOptions([`--seconds=${value}`]),
      new RegExp(`--seconds must be a whole number above 0, got '${value}'`),
    )
})
