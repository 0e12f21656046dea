import { test } from 'tap'
import { readings } from '../../src/core/url-text.ts'

const last = (text: string) => readings(text)?.at(-1)

test('a text that nothing changes has one reading', t => {
  for (const text of ['', 'a b', 'v1.2', '100%', '%zz', '%u12', 'a;b?c#d', '\u{1f408}']) t.same(readings(text), [text])
  t.end()
})

test('percent-encoding is undone as often as it was done', t => {
  t.same(readings('%252e'), ['%252e', '%2e', '.'])
  t.same(readings('%2E%2e'), ['%2E%2e', '..'])
  t.same(readings(`%${'25'.repeat(8)}`)?.length, 9)
  t.equal(readings(`%${'25'.repeat(9)}`), undefined)
  t.end()
})

test('a text whose compatibility characters make it much longer is decoded no further', t => {
  t.equal(readings(`${'\ufdfa'.repeat(8000)}%2541`), undefined)
  t.equal(readings('\ufdfa'.repeat(16_384))?.length, 1, 'without an escape it has one reading')
  t.equal(readings(`${'x'.repeat(16_000)}%2541`)?.length, 3)
  t.end()
})

test('escapes of old servers and over-long UTF-8 are decoded', t => {
  for (const text of [
    '%u002e',
    '%U002E',
    '%uff0e',
    '%c0%ae',
    '%e0%80%ae',
    '%f0%80%80%ae',
    '%f8%80%80%80%ae',
    '%fc%80%80%80%80%ae',
  ])
    t.equal(last(text), '.', text)
  for (const text of ['%c0%af', '%c1%9c', '%5c', '%2f', '%u002f']) t.equal(last(text), '/', text)
  t.end()
})

test('UTF-8 is decoded, and a byte that belongs to no sequence is dropped', t => {
  t.equal(last('%c3%a9%E2%82%AC%f0%9f%90%88'), '\u00e9\u20ac\u{1f408}'.normalize('NFKD'))
  for (const text of ['%ff', '%80', '%c3', '%fe']) t.equal(last(text), '', text)
  t.equal(last('.%c3%2e'), '..')
  t.equal(last('%f7%bf%bf%bf'), '', 'beyond Unicode')
  t.equal(last('%fd%bf%bf%bf%bf%bf'), '')
  t.end()
})

test('compatibility characters, control characters and backslashes are replaced', t => {
  t.same(readings('\uff0e\u2024\ufe52\u2025\uff0f\uff3c\\'), ['.....///'])
  t.equal(last('\uff052e'), '.')
  t.equal(last('%2\t\r\ne'), '.')
  t.equal(last('a\0b'), 'a\0b', 'a NUL stays: it ends a text')
  t.end()
})
