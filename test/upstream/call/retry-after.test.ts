import { test } from 'tap'
import { readRetryAfter } from '../../../src/upstream/call/retry-after.ts'

const now = Date.parse('2026-03-01T12:00:00Z')

test('digits are seconds', t => {
  for (const [text, ms] of [
    ['0', 0],
    ['2', 2000],
    [' 120 ', 120_000],
    ['999999999', 999_999_999_000],
    ['9999999999', 9_999_999_999_000],
    ['9'.repeat(400), Infinity],
  ] as const)
    t.equal(readRetryAfter(text, now), ms, text)
  t.end()
})

test('each of the three date forms is a moment in GMT wherever this machine stands, and one that has passed is now', t => {
  const { TZ } = process.env
  process.env['TZ'] = 'America/New_York'
  t.teardown(() => {
    if (TZ === undefined) delete process.env['TZ']
    else process.env['TZ'] = TZ
  })
  t.equal(readRetryAfter('Sun, 01 Mar 2026 12:00:30 GMT', now), 30_000)
  t.equal(readRetryAfter('Sunday, 01-Mar-26 12:00:30 GMT', now), 30_000)
  t.equal(readRetryAfter('Sun Mar  1 12:00:30 2026', now), 30_000)
  t.equal(readRetryAfter('Sunday, 01-Mar-50 12:00:00 GMT', now), Date.parse('2050-03-01T12:00:00Z') - now)
  t.equal(readRetryAfter('Sunday, 01-Mar-99 12:00:00 GMT', now), 0)
  t.equal(readRetryAfter('Sat, 28 Feb 2026 12:00:00 GMT', now), 0)
  t.end()
})

test('a retry-after that is neither seconds nor a date is ignored', t => {
  for (const text of [
    '',
    'soon',
    '-5',
    '1e3',
    '0x1',
    '1.5',
    'Infinity',
    '2, 3',
    '2026-03-01T12:00:30Z',
    'Sun, 99 Foo 2026',
    'Sunshine',
    'Sun, 01 Mar 2026 12:00:30 PST',
    'Sun, 01 Mar 2026 12:00:30 +0200',
    'Sun, 01 Mar 2026 12:00:30',
    'Sun, 01 Mar 2026 12:00:30 +0500 GMT',
    'Tue, 31 Feb 2026 12:00:30 GMT',
    'Sun, 01 Mar 2026 24:00:30 GMT',
    'Thu, 2050',
  ]) {
    t.equal(readRetryAfter(text, now), undefined, text)
  }
  t.equal(readRetryAfter(undefined, now), undefined)
  t.end()
})
