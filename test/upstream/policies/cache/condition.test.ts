import { test } from 'tap'
import {
  conditionOf as condition,
  renewedHead,
  matchesValidators,
} from '../../../../src/upstream/policies/cache/condition.ts'
import type { Entry } from '../../../../src/upstream/policies/cache/entry.ts'
import type { ResponseHeaders } from '../../../../src/upstream/transport/response-headers.ts'
import { questions } from '../../../helpers/questions.ts'

const { spec } = questions.kept({ id: 'one' })
const conditionOf = (head: ResponseHeaders) => condition({ head } as Entry, spec)
const modified = 'Sun, 01 Mar 2026 12:00:00 GMT'

test('what an answer can be asked for again by is what it was given', async t => {
  t.strictSame(conditionOf({ etag: '"a"' }), { 'if-none-match': '"a"' })
  t.strictSame(conditionOf({ etag: 'W/"a"', 'last-modified': modified }), {
    'if-none-match': 'W/"a"',
    'if-modified-since': modified,
  })
  t.strictSame(conditionOf({ 'last-modified': modified }), { 'if-modified-since': modified })
  t.equal(conditionOf({ date: modified }), undefined)
  t.equal(conditionOf({ etag: ['"a"', '"b"'] }), undefined, 'two names are none')
})

test('a 304 speaks of the answer that has its name, or of the one that was asked for', async t => {
  t.ok(matchesValidators({ etag: '"a"' }, { etag: '"a"' }))
  t.ok(matchesValidators({ etag: '"a"' }, { etag: 'W/"a"' }))
  t.ok(matchesValidators({ etag: '"a"' }, {}))
  t.notOk(matchesValidators({ etag: '"a"' }, { etag: '"b"' }))
  t.notOk(matchesValidators({ 'last-modified': modified }, { etag: '"b"' }))
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
