import fc from 'fast-check'
import { test } from 'tap'
import { holds, prints, textOf, bigintMode } from '../../../src/core/json/integers.ts'
import { writeJson } from '../../../src/core/json/write.ts'

test('bigints are written as integers, and nothing else is written differently', async t => {
  const value = {
    a: 9_007_199_254_740_993n,
    b: [-1n, 0.5, 'x', null, undefined, true, 1e21],
    c: undefined,
    d: new Date(0),
    e: 1e300,
  }
  const written =
    '{"a":9007199254740993,"b":[-1,0.5,"x",null,null,true,1e+21],"d":"1970-01-01T00:00:00.000Z","e":1e+300}'
  t.equal(writeJson(value), written)
  t.equal(writeJson(value, true), written)
  t.equal(writeJson([1n], false, 2), '[\n  1\n]')
  t.equal(writeJson(undefined), undefined)
  t.notOk('toJSON' in BigInt.prototype, 'and the language is left as it is')
})

test('an app that makes text of bigints changes nothing', async t => {
  const prototype = BigInt.prototype as { toJSON?: () => string }
  prototype.toJSON = () => 'text'
  t.teardown(() => {
    delete prototype.toJSON
  })
  t.equal(JSON.stringify([1n]), '["text"]')
  t.equal(writeJson({ a: [1n], b: new Date(0) }), '{"a":[1],"b":"1970-01-01T00:00:00.000Z"}')
  t.equal(writeJson(1n, true), '1')
})

test('a bigint that a toJSON gives is an integer too', async t => {
  t.equal(writeJson([{ toJSON: () => 9_007_199_254_740_993n }]), '[9007199254740993]')
})

test('a value that cannot be written throws the error of JSON.stringify', async t => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  t.throws(() => writeJson(circle), TypeError)
  t.throws(
    () =>
      writeJson({
        toJSON() {
          throw new RangeError('no')
        },
      }),
    { message: 'no' },
  )
})

test('once a whole number has been read whose digits would be rounded, all digits are written', async t => {
  const { isUsed } = bigintMode
  t.teardown(() => {
    bigintMode.isUsed = isUsed
  })
  bigintMode.isUsed = true
  t.equal(writeJson({ a: 2 ** 60, b: 1, c: 1e21 }), '{"a":1152921504606846976,"b":1,"c":1e+21}')
  t.equal(writeJson({ a: 2, b: [{ c: 'x' }, null] }), '{"a":2,"b":[{"c":"x"},null]}')
  t.equal(writeJson({ a: '1152921504606847000' }), '{"a":"1152921504606847000"}')
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 69n), max: 2n ** 69n }), integer =>
      t.equal(writeJson([Number(integer)]), `[${BigInt(Number(integer))}]`),
    ),
    { numRuns: 200 },
  )
  t.equal(writeJson(2 ** 55), '36028797018963968')
  const circle = { toJSON: () => 'round', self: {} }
  circle.self = circle
  t.equal(writeJson([circle]), '["round"]', 'what a toJSON keeps to itself is not looked at')
})

test('a number as text has all digits of an integer below 1e21', async t => {
  for (const [number, text] of [
    [1, '1'],
    [1.5, '1.5'],
    [2 ** 60, '1152921504606846976'],
    [-(2 ** 60), '-1152921504606846976'],
    [1e21, '1e+21'],
    [Number.NaN, 'NaN'],
  ] as const)
    t.equal(textOf(number), text)
})

test('a double holds an integer when it is that integer, and prints it when its own text says so', async t => {
  for (const [integer, isHeld, isPrinted] of [
    [5n, true, true],
    [-(2n ** 53n), true, true],
    [2n ** 53n + 1n, false, false],
    [2n ** 53n + 2n, true, true],
    [2n ** 60n, true, false],
    [10n ** 21n, true, true],
    [15n * 10n ** 21n, true, true],
    [2n ** 70n, false, false],
    [10n ** 400n, false, false],
  ] as const)
    t.same([holds(integer), prints(integer)], [isHeld, isPrinted], String(integer))
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }), integer => {
      t.equal(holds(integer), BigInt(Number(integer)) === integer)
      t.equal(prints(integer), JSON.stringify(Number(integer)) === String(integer))
    }),
    { numRuns: 200 },
  )
})
