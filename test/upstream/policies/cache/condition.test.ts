import { test } from 'tap'
import { conditionOf as condition } from '../../../../src/upstream/policies/cache/condition.ts'
import {
  storableHeaders,
  updatedHeaders as renewedHead,
} from '../../../../src/upstream/policies/cache/stored-headers.ts'
import { matchesValidators } from '../../../../src/upstream/policies/cache/validators.ts'
import type { Entry } from '../../../../src/upstream/policies/cache/entry.ts'
import type { OperationSpec } from '../../../../src/upstream/spec/spec.ts'
import type { ResponseHeaders } from '../../../../src/upstream/transport/response-headers.ts'

const conditionOf = (head: ResponseHeaders, method = 'GET') => condition({ head } as Entry, { method } as OperationSpec)
const modified = 'Sun, 01 Mar 2026 12:00:00 GMT'

test('the validators of a condition are those of the stored answer', async t => {
  t.strictSame(conditionOf({ etag: '"a"' }), { 'if-none-match': '"a"' })
  t.strictSame(conditionOf({ etag: 'W/"a"', 'last-modified': modified }), {
    'if-none-match': 'W/"a"',
    'if-modified-since': modified,
  })
  t.strictSame(conditionOf({ 'last-modified': modified }), { 'if-modified-since': modified })
  t.equal(conditionOf({ date: modified }), undefined)
  t.equal(conditionOf({ etag: ['"a"', '"b"'] }), undefined, 'two names are none')
  for (const none of ['yesterday', 'Tue, 31 Feb 2026 12:00:00 GMT', ['Sun, 01 Mar 2026 12:00:00 GMT', modified]]) {
    t.equal(conditionOf({ 'last-modified': none }), undefined, 'what is not a date validates nothing')
    t.strictSame(conditionOf({ etag: '"a"', 'last-modified': none }), { 'if-none-match': '"a"' })
  }
})

test('the answer to a POST has no condition, because a false condition of a POST is a 412', async t => {
  t.equal(conditionOf({ etag: '"a"', 'last-modified': modified }, 'POST'), undefined)
  t.strictSame(conditionOf({ etag: '"a"' }, 'QUERY'), { 'if-none-match': '"a"' })
})

test('a 304 speaks of the answer that has its name, or of the one that was asked for', async t => {
  t.ok(matchesValidators({ etag: '"a"' }, { etag: '"a"' }))
  t.ok(matchesValidators({ etag: '"a"' }, { etag: 'W/"a"' }))
  t.ok(matchesValidators({ etag: '"a"' }, {}))
  t.notOk(matchesValidators({ etag: '"a"' }, { etag: '"b"' }))
  t.notOk(matchesValidators({ 'last-modified': modified }, { etag: '"b"' }))
})

test('a 304 is about the kept answer if its validators are those of the answer', async t => {
  const later = 'Sun, 01 Mar 2026 13:00:00 GMT'
  for (const [kept, confirmation, expected] of [
    [{ 'last-modified': modified }, { 'last-modified': modified }, true],
    [{ 'last-modified': modified }, { 'last-modified': later }, false],
    [{ 'last-modified': later }, { 'last-modified': modified }, false],
    [{ 'last-modified': modified }, { 'last-modified': 'Sunday, 01-Mar-26 12:00:00 GMT' }, true],
    [{ 'last-modified': modified }, { 'last-modified': 'Sun Mar  1 12:00:00 2026' }, true],
    [{ 'last-modified': modified }, { 'last-modified': 'yesterday' }, false],
    [{ 'last-modified': modified }, { 'last-modified': [modified, modified] }, false],
    [{ 'last-modified': modified }, {}, true],
    [{ etag: '"a"' }, { 'last-modified': modified }, false],
    [{ etag: '"a"', 'last-modified': modified }, { 'last-modified': modified }, true],
    [{ etag: '"a"', 'last-modified': modified }, { 'last-modified': later }, false],
    // A strong tag names one representation, whatever else the 304 has.
    [{ etag: '"a"', 'last-modified': modified }, { etag: '"a"', 'last-modified': later }, true],
    [{ etag: '"a"', 'last-modified': modified }, { etag: '"b"', 'last-modified': modified }, false],
    [{ etag: 'W/"a"' }, { etag: '"a"' }, false],
    // A weak one does not.
    [{ etag: 'W/"a"' }, { etag: 'W/"a"' }, true],
    [{ etag: 'W/"a"' }, { etag: 'W/"b"' }, false],
    [{ etag: 'W/"a"', 'last-modified': modified }, { etag: 'W/"a"', 'last-modified': later }, false],
    [{ etag: 'W/"a"', 'last-modified': modified }, { etag: 'W/"a"', 'last-modified': modified }, true],
    [{ 'last-modified': modified }, { etag: 'W/"a"', 'last-modified': modified }, false],
    [{ etag: '"a"' }, { etag: ['"a"', '"b"'] }, false],
  ] as readonly (readonly [ResponseHeaders, ResponseHeaders, boolean])[])
    t.equal(matchesValidators(kept, confirmation), expected, JSON.stringify([kept, confirmation]))
})

test('headers of the connection are not stored, nor those that Connection names', async t => {
  t.strictSame(
    storableHeaders({
      connection: 'close, X-Secret,, Link , etag',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      te: 'trailers',
      upgrade: 'h2c',
      'proxy-authenticate': 'Basic',
      'proxy-connection': 'close',
      'x-secret': '1',
      link: ['a', 'b'],
      etag: '"a"',
      'x-kept': '2',
      date: 'now',
    }),
    { 'x-kept': '2', date: 'now' },
  )
  t.strictSame(storableHeaders({ connection: ['close', 'x-a'], 'x-a': '1', 'x-b': '2' }), { 'x-b': '2' })
  t.strictSame(
    renewedHead(
      { 'x-a': 'old', 'x-b': 'old' },
      { connection: 'x-a', 'x-a': 'new', 'x-b': 'new', 'content-range': 'x' },
    ),
    { 'x-a': 'old', 'x-b': 'new' },
  )
})

test('a 304 brings the headers up to date, and tells nothing of the body; the old times go', async t => {
  const kept = { 'cache-control': 'max-age=1', date: 'old', age: '5', etag: '"a"', 'content-type': 'application/json' }
  t.strictSame(
    renewedHead(kept, {
      'cache-control': 'max-age=9',
      'content-length': '0',
      'content-type': 'text/html',
      'content-encoding': 'gzip',
      expires: 'x',
    }),
    { 'cache-control': 'max-age=9', etag: '"a"', 'content-type': 'application/json', expires: 'x' },
  )
  t.strictSame(renewedHead(kept, { date: 'new', age: '1' }), {
    'cache-control': 'max-age=1',
    etag: '"a"',
    'content-type': 'application/json',
    date: 'new',
    age: '1',
  })
})
