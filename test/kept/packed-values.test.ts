import fc from 'fast-check'
import { test } from 'tap'
import { codeOfNumber, numberOfCode } from '../../src/kept/codes.ts'
import { packed, unpacked } from '../../src/kept/packed-values.ts'

test('three numbers in one value are read as they were written', t => {
  const number = fc.integer({ min: 0, max: 65_535 })
  fc.assert(
    fc.property(number, number, number, (first, second, third) => {
      t.same(unpacked(packed(first, second, third)), [first, second, third])
    }),
  )
  t.same(unpacked(packed(1, 1_000_000, 599)), [1, 65_535, 599], 'the attempts of a call have no limit')
  t.end()
})

test('a code has one number, and the number of codes is limited', t => {
  t.equal(numberOfCode(undefined), 0)
  t.equal(codeOfNumber(0), null)
  const number = numberOfCode('UPSTREAM_RESET')
  t.equal(numberOfCode('UPSTREAM_RESET'), number)
  t.equal(codeOfNumber(number), 'UPSTREAM_RESET')
  for (let count = 0; count < 1000; count++) numberOfCode(`CODE_${count}`)
  t.equal(codeOfNumber(numberOfCode('ONE_TOO_MANY')), 'OTHER')
  t.equal(codeOfNumber(numberOfCode('UPSTREAM_RESET')), 'UPSTREAM_RESET')
  t.end()
})
