import { test } from 'tap'
import { createDecoder, decodeInSteps } from '../../src/core/charset.ts'

/** The code points of the bytes 0x80 to 0x9f, from https://encoding.spec.whatwg.org/index-windows-1252.txt. */
const index = [
  0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
]

/** Runs all steps of a large text. */
function decoded(encoding: string, body: Buffer): { readonly text: string; readonly steps: number } {
  const all = decodeInSteps(encoding, body)
  for (let steps = 0; ; steps++) {
    const { done, value } = all.next()
    if (done === true) return { text: value, steps }
  }
}

test('each byte of windows-1252 is the character of the index, for every label of the charset', async t => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  const expected = [...all].map(byte => String.fromCodePoint(index[byte - 0x80] ?? byte)).join('')
  for (const label of ['windows-1252', 'iso-8859-1', 'ISO-8859-1', 'latin1', 'l1', 'cp1252', 'iso_8859-1:1987']) {
    const decoder = createDecoder(label)
    t.equal(decoder.encoding, 'windows-1252', label)
    t.equal(decoder.decode(all), expected, label)
    for (const byte of all) t.equal(decoder.decode(Buffer.from([byte])), expected[byte], `${label}, ${byte}`)
  }
})

test('a large text is the same in steps, also where a character lies across two pieces', async t => {
  for (const [encoding, character] of [
    ['windows-1252', '80'],
    ['koi8-r', 'cb'],
    ['shift_jis', '944c'],
    ['gb18030', '9439da33'],
    ['euc-jp', '8fb0a1'],
    ['utf-16le', '3dd808dc'],
    ['utf-16be', 'd83ddc08'],
    ['utf-8', 'f09f9088'],
  ] as const) {
    const bytes = Buffer.from(character, 'hex')
    for (let shift = 0; shift < bytes.length; shift++) {
      const start = Buffer.from('a'.repeat(shift), encoding === 'utf-16le' ? 'utf16le' : 'latin1')
      const odd = encoding === 'utf-16be' ? Buffer.from('a'.repeat(shift), 'utf16le').swap16() : start
      const body = Buffer.concat([odd, Buffer.alloc(600 * 1024 - ((600 * 1024) % bytes.length), bytes)])
      const { text, steps } = decoded(encoding, body)
      t.equal(steps, 3)
      t.ok(text === createDecoder(encoding).decode(body), `${encoding} after ${shift} characters`)
      t.equal(text.includes('\ufffd'), false)
    }
  }
})

test('a large text that ends within a character, or holds other bytes, throws', async t => {
  const end = (hex: string) => Buffer.concat([Buffer.alloc(600 * 1024, 'a'), Buffer.from(hex, 'hex')])
  for (const [encoding, body] of [
    ['shift_jis', end('94')],
    ['gb18030', end('9439da')],
    ['utf-8', end('f09f90')],
    ['utf-16le', end('3d')],
    ['shift_jis', Buffer.concat([Buffer.from('80e9', 'hex'), end('')])],
  ] as const)
    t.throws(() => decoded(encoding, body), { name: 'TypeError' }, encoding)
})

test('two large texts that are decoded at once do not mix', async t => {
  const body = Buffer.concat([Buffer.from('a'), Buffer.alloc(600 * 1024, Buffer.from('944c', 'hex'))])
  const first = decodeInSteps('shift_jis', body)
  first.next()
  t.ok(decoded('shift_jis', body).text === `a${'\u732b'.repeat(300 * 1024)}`)
  first.next()
  first.next()
  t.ok(first.next().value === `a${'\u732b'.repeat(300 * 1024)}`)
})

test('a label that is not a charset throws', async t => {
  t.throws(() => createDecoder('utf-7'), { name: 'RangeError' })
})
