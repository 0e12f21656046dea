import { test } from 'tap'
import { stringBytes } from '../../../../src/upstream/policies/cache/memory-size.ts'

test('a string takes 16 bytes and one per character, in steps of 8; two per character where one of them is beyond U+00FF', async t => {
  t.equal(stringBytes(''), 16)
  t.equal(stringBytes('a'), 24)
  t.equal(stringBytes('abcdefgh'), 24)
  t.equal(stringBytes('abcdefghi'), 32)
  t.equal(stringBytes('\u00ff'.repeat(8)), 24)
  t.equal(stringBytes('aaaa\u0100'), 32)
})
