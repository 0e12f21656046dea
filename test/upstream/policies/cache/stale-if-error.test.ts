import { test } from 'tap'
import { UpstreamError, type ErrorCode } from '../../../../src/errors.ts'
import { allowsStale, invalidatesEntry } from '../../../../src/upstream/policies/cache/stale-if-error.ts'

const failed = (code: ErrorCode, upstreamStatus?: number) =>
  new UpstreamError(code, 'raw', upstreamStatus === undefined ? {} : { upstreamStatus })

test('an older answer replaces the failure of an upstream that is unreachable, reset, busy or invalid, and our own refusals', async t => {
  for (const code of [
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_RESET',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_BUSY',
    'UPSTREAM_TLS',
    'UPSTREAM_JSON',
    'UPSTREAM_SCHEMA',
    'BREAKER_OPEN',
    'BULKHEAD_FULL',
    'LOCAL_RESOURCES',
  ] as const) {
    t.ok(allowsStale(failed(code), false), code)
    t.notOk(allowsStale(failed(code), true), `${code} of another step, for which this call is given up`)
  }
})

test('a stale answer replaces the failures of the statuses that RFC 5861 names', async t => {
  for (const [status, excused] of [
    [500, true],
    [502, true],
    [503, true],
    [504, true],
    [501, false],
    [505, false],
    [404, false],
    [401, false],
    [302, false],
    [206, false],
  ] as const) {
    t.equal(allowsStale(failed('UPSTREAM_STATUS', status), false), excused, String(status))
  }
  t.notOk(allowsStale(failed('UPSTREAM_STATUS'), false))
})

test('a stale answer replaces a timeout, and not an aborted call, a closed runtime or a bug', async t => {
  for (const isGivenUp of [true, false]) {
    t.ok(allowsStale(failed('DEADLINE_EXCEEDED'), isGivenUp))
    t.ok(allowsStale(failed('STEP_TIMEOUT'), isGivenUp))
    for (const error of [
      failed('RUNTIME_CLOSED'),
      failed('UPSTREAM_OFF'),
      new TypeError('a bug'),
      new DOMException('gone', 'AbortError'),
      'gone',
    ])
      t.notOk(allowsStale(error, isGivenUp))
  }
})

test('a 4xx is final, except for those that ask for another attempt', async t => {
  for (const [status, final] of [
    [400, true],
    [401, true],
    [404, true],
    [410, true],
    [408, false],
    [500, false],
    [302, false],
  ] as const) {
    t.equal(invalidatesEntry(failed('UPSTREAM_STATUS', status)), final, String(status))
  }
  t.notOk(invalidatesEntry(failed('UPSTREAM_STATUS')))
  t.notOk(invalidatesEntry(failed('UPSTREAM_BUSY', 429)))
  t.notOk(invalidatesEntry(new TypeError('a bug')))
})
