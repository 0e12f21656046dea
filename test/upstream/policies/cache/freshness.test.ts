import fc from 'fast-check'
import { test } from 'tap'
import { ageOf, retentionMs, type Entry, type Freshness } from '../../../../src/upstream/policies/cache/entry.ts'
import { freshnessOf, type FreshnessContext } from '../../../../src/upstream/policies/cache/freshness.ts'
import { cachePolicy } from '../../../../src/upstream/spec/cache-policy.ts'
import type { ResponseHeaders } from '../../../../src/upstream/transport/response-headers.ts'

const receivedAt = Date.parse('2026-03-01T12:00:00.900Z')
/** An HTTP date so many seconds from when the answer came. */
const date = (seconds: number) => new Date(receivedAt + seconds * 1000).toUTCString()

function judge(
  head: ResponseHeaders,
  {
    policy = {},
    ...rest
  }: Partial<Omit<FreshnessContext, 'policy'>> & {
    policy?: { ttl?: number; staleWhileRevalidate?: number; staleIfError?: number }
  } = {},
): Freshness | undefined {
  return freshnessOf(head, {
    status: 200,
    policy: cachePolicy('a.b', policy) as FreshnessContext['policy'],
    isAuthorized: false,
    isConfirmable: true,
    delay: 0,
    receivedAt,
    ...rest,
  })
}

/** For how long from now it is fresh, in ms. */
function freshFor(...asked: Parameters<typeof judge>): number | undefined {
  const freshness = judge(...asked)
  return freshness && freshness.lifetime - freshness.initialAge
}

test('the lifetime of an answer comes from its headers, and s-maxage takes precedence', async t => {
  const table: readonly (readonly [ResponseHeaders, number | undefined])[] = [
    [{ 'cache-control': 'max-age=60' }, 60_000],
    [{ 'cache-control': 'max-age=60, s-maxage=10' }, 10_000],
    [{ 'cache-control': 'max-age=60', expires: date(10) }, 60_000],
    [{ expires: date(10), date: date(0) }, 10_000],
    // Against its own clock, which may be wrong.
    [{ expires: date(3610), date: date(3600) }, 10_000],
    [{ expires: date(-3590), date: date(-3600), etag: '"a"' }, 10_000 - 3600_000],
    [{ expires: '0', etag: '"a"' }, 0],
    [{ expires: [date(10), date(20)], etag: '"a"' }, 0],
    [{ expires: date(-10), etag: '"a"' }, 0],
    // A date that is none is over, and one with two digits for its year is at most 50 years ahead.
    [{ expires: 'Thu, 2050', etag: '"a"' }, 0],
    [{ expires: 'Fri, 31 Feb 2050 12:00:00 GMT', etag: '"a"' }, 0],
    [{ expires: 'Tue, 01 Mar 2050 24:00:00 GMT', etag: '"a"' }, 0],
    [{ expires: 'Tue, 01 Mar 2050 12:00:00 +0500 GMT', etag: '"a"' }, 0],
    [{ expires: 'Tuesday, 01-Mar-50 12:00:00 GMT', date: date(0) }, Date.UTC(2050, 2, 1) - Date.UTC(2026, 2, 1)],
    [{ expires: 'Monday, 01-Mar-77 12:00:00 GMT', etag: '"a"' }, 0],
    [{ expires: 'Sun Mar  1 12:00:10 2026', date: date(0) }, 10_000],
    [{ 'cache-control': 'max-age=60', date: 'Sun, 01 Feb 2026 24:00:00 GMT' }, 60_000],
    [{ 'cache-control': 'max-age=60', date: 'Sunday, 01-Mar-26 11:59:40 GMT' }, 40_000],
    // Age, from caches on the way.
    [{ 'cache-control': 'max-age=60', age: '20' }, 40_000],
    [{ 'cache-control': 'max-age=60', age: '20, 50' }, 40_000],
    [{ 'cache-control': 'max-age=60', age: '-5' }, 60_000],
    [{ 'cache-control': 'max-age=60', age: 'old' }, 60_000],
    [{ 'cache-control': 'max-age=60', age: '99999999999999999', etag: '"a"' }, 60_000 - 2 ** 31 * 1000],
    // Date, where a cache on the way says nothing; one from the future says nothing either.
    [{ 'cache-control': 'max-age=60', date: date(-20) }, 40_000],
    [{ 'cache-control': 'max-age=60', date: date(-20), age: '30' }, 30_000],
    [{ 'cache-control': 'max-age=60', date: date(500) }, 60_000],
    [{ 'cache-control': 'max-age=60', date: 'yesterday' }, 60_000],
    [{ 'cache-control': 'max-age=60', date: [date(-20), date(-10)] }, 60_000],
  ]
  for (const [head, expected] of table) t.equal(freshFor(head), expected, JSON.stringify(head))
  t.equal(
    freshFor({ 'cache-control': 'max-age=60', date: 'Sun, 01 Mar 2026 12:00:00 GMT' }),
    60_000,
    'a date has whole seconds',
  )
  t.equal(
    freshFor({ 'cache-control': 'max-age=60', age: '20' }, { delay: 700 }),
    39_300,
    'the way here is part of the age',
  )
})

test('an answer that a shared cache must not store is not stored, whatever its other headers are', async t => {
  const heads: readonly ResponseHeaders[] = [
    { 'cache-control': 'no-store' },
    { 'cache-control': 'max-age=60, no-store' },
    { 'cache-control': 'private' },
    { 'cache-control': 'private="x", max-age=60' },
    { 'cache-control': 'max-age=60', vary: '*' },
    { 'cache-control': 'max-age=60', vary: 'accept, *' },
    { 'cache-control': 'max-age=60', vary: ['accept', ' * '] },
    { 'cache-control': 'max-age=60', 'set-cookie': ['a=b'] },
  ]
  for (const head of heads) {
    t.equal(judge({ ...head, etag: '"a"' }), undefined, JSON.stringify(head))
    t.equal(
      judge(head, { policy: { ttl: 60_000, staleIfError: 1000 } }),
      undefined,
      `${JSON.stringify(head)} with a ttl`,
    )
  }
})

test('an answer of use only to ask for it again is stored if the upstream can confirm it', async t => {
  const head = { etag: '"a"' }
  t.equal(freshFor(head), 0)
  t.equal(judge(head, { isConfirmable: false }), undefined)
  t.equal(freshFor({ ...head, 'cache-control': 'max-age=60' }, { isConfirmable: false }), 60_000)
})

test('an answer may vary by what is in the key or never changes', async t => {
  for (const vary of ['accept-encoding', 'Accept, Authorization', ['x-tenant', 'origin'], ''])
    t.equal(freshFor({ 'cache-control': 'max-age=60', vary }), 60_000)
})

test('an answer to a question with Authorization is kept where it says so, or where the operation does', async t => {
  for (const [directives, kept] of [
    ['', false],
    ['proxy-revalidate', false],
    ['public', true],
    ['must-revalidate', true],
    ['s-maxage=60', true],
  ] as const) {
    const head = { 'cache-control': `max-age=60, ${directives}` }
    t.equal(judge(head, { isAuthorized: true }) !== undefined, kept, directives)
    t.ok(judge(head, { isAuthorized: true, policy: { ttl: 0 } }))
  }
})

test('without a word on it an answer is never fresh, unless the operation has a ttl, which counts from when it came', async t => {
  for (const head of [{}, { date: date(-30) }, { 'cache-control': 'public' }, { age: '10' }]) {
    t.equal(judge(head), undefined, 'and to no end, so not kept')
    t.equal(freshFor(head, { policy: { ttl: 5000 }, delay: 9000 }), 5000)
  }
  t.equal(
    freshFor({ 'last-modified': date(-1_000_000) }),
    0,
    'no age is guessed, and it can be asked for again by its date',
  )
  t.match(judge({ etag: '"a"' }), { lifetime: 0, initialAge: 0 })
})

test('the headers of the upstream take precedence over the ttl', async t => {
  const policy = { ttl: 60_000, staleWhileRevalidate: 30_000, staleIfError: 20_000 }
  t.equal(freshFor({ 'cache-control': 'max-age=5' }, { policy }), 5000)
  t.equal(freshFor({ 'cache-control': 'max-age=0' }, { policy }), 0)
  t.equal(freshFor({ 'cache-control': 'max-age=nonsense' }, { policy }), 0)
  t.equal(freshFor({ expires: '0' }, { policy }), 0)
  t.match(judge({ 'cache-control': 'no-cache', etag: '"a"' }, { policy }), {
    lifetime: 0,
    staleWhileRevalidate: 0,
    staleIfError: 0,
  })
  t.equal(judge({ 'cache-control': 'no-cache' }, { policy }), undefined, 'it could never be used')
  t.match(judge({ 'cache-control': 'max-age=5, stale-while-revalidate=1' }, { policy }), {
    staleWhileRevalidate: 1000,
    staleIfError: 20_000,
  })
  t.match(judge({ 'cache-control': 'max-age=5, stale-if-error=0' }, { policy }), {
    staleWhileRevalidate: 30_000,
    staleIfError: 0,
  })
})

test('an answer that must be asked for again is never given stale', async t => {
  const windows = 'stale-while-revalidate=10, stale-if-error=10'
  t.match(judge({ 'cache-control': `max-age=5, ${windows}` }), { staleWhileRevalidate: 10_000, staleIfError: 10_000 })
  for (const forbids of ['must-revalidate', 'proxy-revalidate', 's-maxage=5']) {
    const freshness = judge(
      { 'cache-control': `max-age=5, ${windows}, ${forbids}` },
      { policy: { staleWhileRevalidate: 9, staleIfError: 9 } },
    )
    t.match(freshness, { lifetime: 5000, staleWhileRevalidate: 0, staleIfError: 0 }, forbids)
  }
  t.match(judge({ 'cache-control': `no-cache, max-age=5, ${windows}`, etag: '"a"' }), {
    lifetime: 0,
    staleWhileRevalidate: 0,
    staleIfError: 0,
  })
})

test('a status that says "there is none" is kept only where the answer says how long', async t => {
  t.equal(judge({}, { status: 404, policy: { ttl: 60_000 } }), undefined)
  t.equal(judge({ etag: '"a"' }, { status: 404 }), undefined)
  t.equal(judge({ 'cache-control': 'max-age=5' }, { status: 404 })?.lifetime, 5000)
  t.equal(judge({}, { status: 201, policy: { ttl: 60_000 } }), undefined)
  for (const status of [200, 203, 204]) t.equal(freshFor({}, { status, policy: { ttl: 60_000 } }), 60_000)
})

const base: Entry = {
  status: 200,
  head: {},
  bytes: 2,
  generation: '0',
  requestedAt: 0,
  receivedAt: 1000,
  initialAge: 500,
  lifetime: 5000,
  staleWhileRevalidate: 0,
  staleIfError: 0,
}

test('age grows with time and never shrinks below what it was', async t => {
  t.equal(ageOf(base, 1000), 500)
  t.equal(ageOf(base, 4000), 3500)
  t.equal(ageOf(base, 0), 500, 'a clock of another machine that is behind')
})

test('an entry is of use until nothing can be made of it', async t => {
  t.equal(retentionMs(base), 4500)
  t.equal(retentionMs({ ...base, staleWhileRevalidate: 100, staleIfError: 200 }), 4700)
  t.equal(retentionMs({ ...base, initialAge: 9000, staleIfError: 200 }), 200)
  t.equal(retentionMs({ ...base, head: { etag: '"a"' } }), 24 * 3600 * 1000)
  t.equal(retentionMs({ ...base, lifetime: 1e12, head: { 'last-modified': date(0) } }), 1e12 - 500)
})

test('whatever the headers are, the times are whole and not negative', t => {
  const words = fc.constantFrom(
    'max-age=60',
    'max-age=x',
    's-maxage=5',
    'public',
    'no-cache',
    'must-revalidate',
    'stale-if-error=9',
    'stale-while-revalidate=4',
  )
  const when = fc.integer({ min: -100_000, max: 100_000 }).map(date)
  const heads = fc.record(
    {
      'cache-control': fc.array(words).map(each => each.join(', ')),
      expires: when,
      date: when,
      age: fc.oneof(fc.nat().map(String), fc.string()),
      etag: fc.constant('"a"'),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(heads, fc.nat(100_000), (head, delay) => {
      const freshness = judge(head, { delay })
      return (
        freshness === undefined || Object.values(freshness).every(ms => Number.isSafeInteger(ms) && (ms as number) >= 0)
      )
    }),
  )
  t.end()
})
