import { legal, refused, type Line, type LineOptions } from '../helpers/line.ts'

const typed = ['content-type: application/json']
const sent = (body: unknown, method = 'POST'): LineOptions => ({
  method,
  target: '/v1/batch',
  headers: typed,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const summary = (id: string, input: unknown, others: object = {}) => ({
  id,
  operation: 'wikipedia.summary',
  input,
  ...others,
})
const ref = (text: string) => ({ $ref: text })
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const all = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`)

const unread: readonly (readonly [what: string, body: unknown])[] = [
  ['no object', []],
  ['null', null],
  ['no calls', {}],
  ['10,000 calls', { calls: all(10_000).map(id => summary(id, { title: 'a' })) }],
  ['49,000 calls that are null', { calls: Array.from({ length: 49_000 }, () => null) }],
  [
    '100 calls that all need all others',
    { calls: all(100).map(id => summary(id, { title: 'a' }, { needs: all(100) })) },
  ],
  ['a call that needs 50,000 unknown ones', { calls: [summary('a', { title: 'a' }, { needs: all(50_000) })] }],
  ['a URL for an operation', { calls: [{ id: 'a', operation: 'http://127.0.0.1:9/' }] }],
  ['a URL for a reference', { calls: [summary('a', { title: ref('http://127.0.0.1:9/#/data') })] }],
  ['a file for a reference', { calls: [summary('a', { title: ref('/etc/passwd#/data') })] }],
  ['a reference of 100,000 characters', { calls: [summary('a', { title: ref(`b#/data${'/~0'.repeat(33_000)}`) })] }],
  ['an input 10,000 levels deep', `{"calls":[{"id":"a","operation":"wikipedia.summary","input":${nested(10_000)}}]}`],
  ['a title that climbs', { calls: [summary('a', { title: '../../admin' })] }],
  ['a title that is the parent folder', { calls: [summary('a', { title: '..' })] }],
  ['a line break in an id', { calls: [summary('a\r\nx: y', { title: 'a' })] }],
]

/** Bodies of batches. */
export const batches: readonly Line[] = [
  ...unread.flatMap(([what, body]) =>
    ['POST', 'QUERY'].map(method => refused(`${method} of a batch: ${what}`, sent(body, method), '400 INPUT_INVALID')),
  ),
  refused('a batch that is not JSON', sent('{"calls":['), '400 BAD_REQUEST'),
  refused('a batch with a prototype', sent('{"calls":[],"__proto__":{}}'), '400 BAD_REQUEST'),
  refused('a batch with 100,001 values', sent(`{"calls":[${'1,'.repeat(100_000)}1]}`), '413 PAYLOAD_TOO_LARGE'),
  refused('a QUERY without a type', { method: 'QUERY', target: '/v1/batch' }, '400 BAD_REQUEST'),
  refused('a batch in the query', { method: 'GET', target: '/v1/batch?calls=a' }, '405 METHOD_NOT_ALLOWED'),
  legal(
    'a reference to a prototype',
    'it points to nothing, and its call is not sent',
    sent({ calls: [summary('a', { title: 'a' }), summary('b', { title: ref('a#/data/__proto__') })] }),
  ),
  legal('a title with a query in a batch', 'it is encoded', sent({ calls: [summary('a', { title: 'a?b=c#d' })] })),
]
