import fc from 'fast-check'
import { test } from 'tap'
import { parse, parseExact, readJson } from '../../../src/core/json/parse.ts'
import { normalizeNumbers, overflow } from '../../../src/core/json/settle.ts'

const big = 9_007_199_254_740_993n

test('an integer literal from 2^53 on is a bigint, wherever it stands', async t => {
  t.same(parseExact('9007199254740993'), big)
  t.same(parseExact(' -9007199254740993\n'), -big)
  t.same(parseExact('9007199254740992'), 2n ** 53n)
  t.equal(parseExact('9007199254740991'), Number.MAX_SAFE_INTEGER)
  t.same(parseExact('[9007199254740993,-9007199254740993 ,\t9007199254740993]'), [big, -big, big])
  t.same(parseExact('{"a":9007199254740993,"b":{"c":[9007199254740993]}}'), { a: big, b: { c: [big] } })
  t.same(parseExact(`{"a":${'9'.repeat(308)}}`), { a: 10n ** 308n - 1n })
})

test('a literal that is not an integer has the value of JSON.parse', async t => {
  for (const text of [
    '9007199254740993.0',
    '9007199254740993.5',
    '9007199254740993e0',
    '9007199254740993E+2',
    '1.12345678901234567',
    '1e20',
    '1e400',
    '-1e400',
    '9'.repeat(310),
    '0',
    '-0',
  ]) {
    t.equal(parseExact(text), JSON.parse(text), text)
  }
  t.same(
    parseExact('["x: 9007199254740993 ","\\" 9007199254740993","\\\\", 9007199254740993,"a\\\\\\" 9007199254740993,"]'),
    ['x: 9007199254740993 ', '" 9007199254740993', '\\', big, 'a\\" 9007199254740993,'],
  )
  t.same(parseExact('{" 9007199254740993": 9007199254740993}'), { ' 9007199254740993': big })
})

test('a field __proto__ stays a field', async t => {
  const read = parseExact('{"__proto__":9007199254740993,"a":{"__proto__":{"b":9007199254740994}}}')
  t.same(Object.getOwnPropertyDescriptor(read, '__proto__')?.value, big)
  const settled = normalizeNumbers(read) as { readonly a: object }
  t.same(Object.getOwnPropertyDescriptor(settled.a, '__proto__')?.value, { b: 9_007_199_254_740_994 })
  t.equal(Object.getPrototypeOf(settled.a), Object.prototype)
})

test('text that is not JSON is refused with the message of JSON.parse', async t => {
  for (const text of [
    '',
    '9007199254740993x',
    '[9007199254740993',
    '{"a":09007199254740993}',
    '{ 9007199254740993:1}',
    '{"a":}',
  ]) {
    let message: string | undefined
    try {
      JSON.parse(text)
    } catch (error) {
      message = (error as Error).message
    }
    t.throws(() => parse(text), { name: 'SyntaxError', message }, text)
  }
})

test('deep and long texts are parsed exactly', async t => {
  const depth = 50_000
  let read = parseExact(`${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`)
  normalizeNumbers(read)
  for (let level = 0; level < depth; level++) [read] = read as unknown[]
  t.same(read, big)
  const hostile = [
    `["${'\\\\'.repeat(100_000)}",9007199254740993]`,
    `[${'1234567890123456.1,'.repeat(10_000)}9007199254740993]`,
    `["${': 1234567890123456'.repeat(10_000)}",9007199254740993]`,
    `[${'1'.repeat(200_000)},9007199254740993]`,
  ]
  for (const text of hostile) t.same((parseExact(text) as unknown[]).at(-1), big)
})

test('a reader without a schema gets bigints only where numbers would be written differently', async t => {
  t.same(readJson('[1,9007199254740994,9007199254740993,1152921504606846976,1e3,1000000000000000000000]'), [
    1,
    9_007_199_254_740_994,
    big,
    2n ** 60n,
    1000,
    1e21,
  ])
  t.same(readJson('{"a":1}'), { a: 1 })
  t.same(readJson('[1e400]'), [Infinity])
})

test('a value that is settled is not changed itself', async t => {
  const value = Object.freeze({
    a: Object.freeze([2n ** 53n]),
    b: Object.freeze({ c: 1 }),
    d: null,
    e: new Date(0),
    f: 5n,
  })
  t.strictSame(normalizeNumbers(value), { a: [2 ** 53], b: { c: 1 }, d: null, e: new Date(0), f: 5n })
  t.same(value.a, [2n ** 53n])
  const plain = { a: [big, 1] }
  t.equal(normalizeNumbers(plain), plain)
  for (const each of [Infinity, { a: [-Infinity] }, [2n ** 53n, 1 / 0]]) t.equal(normalizeNumbers(each), overflow)
})

test('an exact value differs from what JSON.parse gives in its integers alone', async t => {
  fc.assert(
    fc.property(
      fc.json({ noUnicodeString: false, depthSize: 'medium' }),
      fc.array(fc.bigInt(), { maxLength: 3 }),
      (json, integers) => {
        const text = `[${json},{"a":[${integers.join(' , ')}]}]`
        const withSource = JSON.parse(text, ((
          _key: string,
          value: unknown,
          { source }: { readonly source?: string },
        ) =>
          typeof value === 'number' &&
          /^-?\d+$/.test(source as string) &&
          !Number.isSafeInteger(value) &&
          Number.isFinite(value)
            ? BigInt(source as string)
            : value) as never)
        t.strictSame(parseExact(text), withSource)
      },
    ),
    { numRuns: 100 },
  )
})
