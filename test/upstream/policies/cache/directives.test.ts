import fc from 'fast-check'
import { test } from 'tap'
import { readDirectives, type Directives } from '../../../../src/upstream/policies/cache/directives.ts'

const none: Directives = {
  noStore: false,
  noCache: false,
  isPrivate: false,
  isPublic: false,
  mustUnderstand: false,
  mustRevalidate: false,
  proxyRevalidate: false,
  maxAge: undefined,
  sharedMaxAge: undefined,
  staleWhileRevalidate: undefined,
  staleIfError: undefined,
}

const table: readonly (readonly [header: string | string[] | undefined, Partial<Directives>])[] = [
  [undefined, {}],
  ['', {}],
  [' , ,, ', {}],
  ['max-age=60', { maxAge: 60_000 }],
  ['Max-Age=60, PUBLIC', { maxAge: 60_000, isPublic: true }],
  [
    'max-age=60,s-maxage=5,stale-while-revalidate=7,stale-if-error=8',
    { maxAge: 60_000, sharedMaxAge: 5000, staleWhileRevalidate: 7000, staleIfError: 8000 },
  ],
  [
    'no-store, no-cache, private, must-revalidate, proxy-revalidate',
    { noStore: true, noCache: true, isPrivate: true, mustRevalidate: true, proxyRevalidate: true },
  ],
  // In quotes, which is as good (RFC 9111, section 5.2).
  ['max-age="60"', { maxAge: 60_000 }],
  ['max-age="6\\0"', { maxAge: 60_000 }],
  // Those that name fields count for the whole answer.
  ['private="set-cookie, x", max-age=1', { isPrivate: true, maxAge: 1000 }],
  ['no-cache="a", x="no-store"', { noCache: true }],
  // A directive within quotes is none.
  ['ext="no-store, private", max-age=3', { maxAge: 3000 }],
  // What cannot be read is over.
  ['max-age=-1', { maxAge: 0 }],
  ['max-age=1.5', { maxAge: 0 }],
  ['max-age=1e3', { maxAge: 0 }],
  ['max-age=0x10', { maxAge: 0 }],
  ['max-age=ten', { maxAge: 0 }],
  ['max-age=', { maxAge: 0 }],
  ['max-age', { maxAge: 0 }],
  ['max-age=""', { maxAge: 0 }],
  ['max-age=60;x', { maxAge: 0 }],
  ['max-age= 60', { maxAge: 0 }],
  ['max-age=60 max-age=60', { maxAge: 0 }],
  ['max-age=60 no-store', { maxAge: 0 }],
  ['max-age="60"0', { maxAge: 0 }],
  ['max-age=60 \t, public ', { maxAge: 60_000, isPublic: true }],
  ['no-store, must-understand', { noStore: true, mustUnderstand: true }],
  // Said twice: the same is the same, and different is over.
  ['max-age=60, max-age=60', { maxAge: 60_000 }],
  ['max-age=60, max-age=61', { maxAge: 0 }],
  [['max-age=60', 'no-cache'], { maxAge: 60_000, noCache: true }],
  [['max-age=60', 'max-age=5'], { maxAge: 0 }],
  // Beyond what a whole number of 31 bits holds.
  ['max-age=2147483648', { maxAge: 2 ** 31 * 1000 }],
  ['max-age=99999999999999999999999', { maxAge: 2 ** 31 * 1000 }],
  // Unknown directives and rubbish do not hide the directives beside them.
  ['immutable, foo=bar, max-age=2', { maxAge: 2000 }],
  ['@@@, =, =5, no-store', { noStore: true }],
  ['private="a, no-store', { isPrivate: true, noStore: true }],
  ['no-storex, xno-store', {}],
]

test('Cache-Control is read by the rules of RFC 9111', async t => {
  for (const [header, expected] of table)
    t.strictSame(readDirectives(header), { ...none, ...expected }, JSON.stringify(header))
})

test('no header makes the reader throw or return a time that is not a number', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom('max-age', '=', '"', ',', ' ', '60', 'no-store', '\\')).map(parts => parts.join('')),
      ),
      header => {
        const { maxAge } = readDirectives(header)
        return maxAge === undefined || (maxAge >= 0 && Number.isSafeInteger(maxAge))
      },
    ),
  )
  t.end()
})

test('a header made to be slow to read is read at once', async t => {
  const before = performance.now()
  for (const header of [
    ' '.repeat(16_000),
    '"'.repeat(16_000),
    'a="'.repeat(5000),
    `a="${'\\'.repeat(16_000)}`,
    ','.repeat(16_000),
    'a=\\"'.repeat(4000),
  ])
    readDirectives(header)
  t.ok(performance.now() - before < 1000)
})
