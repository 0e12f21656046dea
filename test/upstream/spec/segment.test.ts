import fc from 'fast-check'
import { test } from 'tap'
import { pathFault } from '../../../src/upstream/spec/path-fault.ts'
import { encodePart, encodeSegment, encodeSegments } from '../../../src/upstream/spec/segment.ts'

test('a text without reserved characters is returned itself', t => {
  for (const text of ['siamese', '1', '-1.5', 'a.b', 'x..', '_', '550e8400-e29b-41d4-a716-446655440000']) {
    t.equal(encodeSegment(text), text)
    t.equal(encodePart(text), text)
  }
  t.end()
})

test('other texts are encoded, beside literal text with all of their reserved characters', t => {
  for (const [text, segment, part] of [
    ['maine coon', 'maine%20coon', 'maine%20coon'],
    ['ko\u010dka', 'ko%C4%8Dka', 'ko%C4%8Dka'],
    ['a(b)', 'a(b)', 'a%28b%29'],
    ['a:b', 'a%3Ab', 'a%3Ab'],
    ['a/b', 'a%2Fb', undefined],
    ['\u{1f431}', '%F0%9F%90%B1', undefined],
    ['~', '~', undefined],
  ] as const) {
    t.equal(encodeSegment(text), segment, text)
    t.equal(encodePart(text), part, text)
  }
  t.end()
})

test('a text that is empty, too long or able to climb has no encoded form', t => {
  for (const text of ['', '.', '..', '%2e', 'a/..', '\uff0e\uff0e', 'a\0', 'x'.repeat(16 * 1024 + 1)]) {
    t.equal(encodeSegment(text), undefined, text.slice(0, 10))
    t.equal(encodePart(text), undefined, text.slice(0, 10))
  }
  t.equal(encodeSegment('x'.repeat(16 * 1024))?.length, 16 * 1024)
  t.end()
})

test('each letter, digit and mark of any script is safe beside dots, wherever it is encoded without the whole check', t => {
  const wordLike = /[\p{L}\p{M}\p{Nd}]/u
  let texts = 0
  for (let point = 0x80; point <= 0x10_ffff; point++) {
    const character = String.fromCodePoint(point)
    if (!wordLike.test(character)) continue
    for (const text of [character, `${character}..`, `a${character}..`]) {
      if (encodePart(text) === undefined) continue
      texts++
      const fault = pathFault(text)
      if (fault !== undefined) t.fail(`U+${point.toString(16)} makes ${fault}`)
    }
  }
  t.ok(texts > 400_000, `${texts} texts`)
  t.end()
})

/** Pieces of texts that could climb, and of texts that could not. */
const pieces = ['a', '.', '..', '/', '%', '2e', '\u0301', '\uff0e', ' ', ';', '\ud800', '\0', '\\']

test('every text that is encoded has no fault, and every text without a fault is encoded', t => {
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces, '\u00e9'), { minLength: 1, maxLength: 5 }).map(each => each.join('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
  )
  fc.assert(
    fc.property(text, each => {
      const isSafe = pathFault(each.toWellFormed()) === undefined
      const isPart = encodePart(each) !== undefined
      return (encodeSegment(each) !== undefined) === isSafe && (isSafe || !isPart)
    }),
    { numRuns: 5000 },
  )
  t.end()
})

test('a text of several segments is encoded segment by segment', t => {
  for (const [text, encoded] of [
    ['a', 'a'],
    ['a/b/c', 'a/b/c'],
    ['a b/\u010d/x:y', 'a%20b/%C4%8D/x%3Ay'],
    ['a;b/c?d/e#f', 'a%3Bb/c%3Fd/e%23f'],
    ['.well-known/...', '.well-known/...'],
    ['a/\n/\x7f', 'a/%0A/%7F'],
  ] as const)
    t.equal(encodeSegments(text, encodeSegment), encoded, text)
  t.equal(encodeSegments('a/b(c)', encodePart), 'a/b%28c%29')
  t.equal(encodeSegments('a/~', encodePart), undefined)
  t.end()
})

test('a text of several segments has no encoded form if one of them is empty or could climb', t => {
  const dots = ['.', '..', '%2e%2e', '%2E.', '.%2e', '%252e%252e', '%c0%ae%c0%ae', '%u002e.', '\uff0e\uff0e', '\u2025']
  const hidden = ['..;a=b', '..%3b', '..?', '..#', '..\0', '. .', ' ..', '.\u200b.', '..\n', '\x01..', '..\t;x']
  const slashes = [
    '%2f',
    '..%2f',
    '%2f..',
    'x%2f..%2fy',
    'x%252fy',
    '%5c',
    '..%5c',
    '\\',
    '..\\',
    'x\\..\\y',
    '\uff0f',
    '%c0%af',
  ]
  for (const part of ['', ...dots, ...hidden, ...slashes, 'a\0', `%${'25'.repeat(20)}41`])
    for (const text of [part, `${part}/b`, `a/${part}`, `a/${part}/b`, `a/b/${part}/${part}/c`])
      t.equal(encodeSegments(text, encodeSegment), undefined, JSON.stringify(text))
  t.equal(encodeSegments('a/'.repeat(8191) + 'ab', encodeSegment)?.length, 16 * 1024)
  t.equal(encodeSegments('a/'.repeat(8192) + 'a', encodeSegment), undefined)
  t.end()
})

test('a text of several segments is encoded if the whole text has no fault and no empty segment', t => {
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces, '/', '2f', '\x01'), { minLength: 1, maxLength: 8 }).map(each => each.join('')),
    fc.array(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 4 }).map(each => each.join('/')),
  )
  let encoded = 0
  fc.assert(
    fc.property(text, each => {
      const path = encodeSegments(each, encodeSegment)
      const parts = each.split('/')
      if (path !== undefined) encoded++
      return (
        (path !== undefined) === (pathFault(each.toWellFormed()) === undefined && !parts.includes('')) &&
        (path === undefined || path.split('/').length === parts.length) &&
        (path === undefined || path.split('/').map(decodeURIComponent).join('/') === each.toWellFormed())
      )
    }),
    { numRuns: 5000 },
  )
  t.ok(encoded > 200, `${encoded} of 5000 were encoded`)
  t.end()
})
