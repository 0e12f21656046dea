import { test } from 'tap'
import { z } from 'zod'
import { readPointer } from '../../src/batch/json-pointer.ts'
import { findReferences } from '../../src/batch/reference.ts'
import { endToEnd, lowerCased } from '../../src/core/end-to-end.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { readFaults } from '../../src/fanout/rehearsal/read-faults.ts'
import { linkTarget } from '../../src/core/link-header.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { chooseType, withStreams } from '../../src/http/request/media-types.ts'
import { readEventId } from '../../src/http/stream/event-id.ts'
import { addressOf } from '../../src/http/request/client-address.ts'
import { keyFinder } from '../../src/http/guard/api-keys.ts'
import { loggedRequest } from '../../src/http/log/logger-options.ts'
import { requestIdOf } from '../../src/http/request/request-id.ts'
import { readDirectives } from '../../src/upstream/policies/cache/directives.ts'
import { freshnessOf } from '../../src/upstream/policies/cache/freshness.ts'
import { ConnectResponse } from '../../src/upstream/connect/connect-response.ts'
import { defineUpstream, env, operation } from '../../src/upstream/declare.ts'
import { isCloseDelimited } from '../../src/upstream/transport/response-headers.ts'
import { readHttpDate } from '../../src/core/http-date.ts'
import { parse } from '../../src/core/json/parse.ts'
import { pathFault } from '../../src/upstream/spec/path-fault.ts'
import { readRetryAfter } from '../../src/upstream/call/retry-after.ts'
import { textSchema } from '../../src/core/schema/text-schema.ts'
import { withoutWhiteSpace } from '../../src/upstream/transport/white-space.ts'
import { costOf, early, late, type Search } from './patterns/cost.ts'

const { ask, find, tell, send } = defineUpstream(
  'cats',
  { origin: 'http://cats.example', auth: { query: 'key', secret: env('CATS_KEY') } },
  {
    ask: operation({ path: '/a/{x}.{y}', params: z.object({ x: z.string(), y: z.string() }), output: z.unknown() }),
    find: operation({ path: '/', query: z.record(z.string(), z.string()), output: z.unknown() }),
    tell: operation({
      method: 'POST',
      path: '/',
      body: z.object({ key: z.string() }),
      idempotencyKey: ({ body }) => body.key,
      output: z.unknown(),
    }),
    send: operation({
      method: 'POST',
      path: '/',
      bodyType: 'multipart',
      body: z.record(z.string(), z.unknown()),
      output: z.unknown(),
    }),
  },
)

/** A search that may refuse its text. */
const trying =
  (search: Search): Search =>
  text => {
    try {
      return search(text)
    } catch (error) {
      return error
    }
  }

const rehearsed = aggregate('cats', { url: '/cats' })
  .required('meow', () => 1)
  .reply(z.unknown(), () => 1)
const coerced = textSchema(
  z.object({
    n: z.coerce.number().optional(),
    b: z.coerce.bigint().optional(),
    d: z.coerce.date().optional(),
    l: z.array(z.stringbool()).optional(),
  }),
)
const policy = { ttl: undefined, staleWhileRevalidate: undefined, staleIfError: undefined } as unknown as Parameters<
  typeof freshnessOf
>[1]['policy']
const redaction = new Redaction(Array.from({ length: 10 }, (_, index) => `a secret of the service/${index}`))
const isKey = keyFinder(['k'.repeat(16)])
const marks = '\u0301\u0316'

/**
 * Code that reads text of callers or upstreams by more than one pattern, or by a loop; and runs that are bad for some
 * way to write it.
 */
const readers: Readonly<Record<string, readonly [search: Search, runs: readonly string[]]>> = {
  'a value of a path': [
    text => ask({ x: text, y: 'z' }),
    ['a', '%', '%25', '%c0', '%u00', '.', './', ' .', ';', '\\', '\0', marks, '\ufdfa', '\uff0e', '\ud800', '\u200b'],
  ],
  'the fault of a path': [
    pathFault,
    [' ', '/ ', '/. .', '%2', '%25', '%c0', '%u00', '\\', '\0', '\ufffd', '\ud800', '\uff0e', '\u200b', marks],
  ],
  "a query field's name": [text => find({ [text]: 'x' }), ['a', '%25', '&', '[', '.', ' ', marks, '\ufdfa', '\u200b']],
  "a query field's value": [text => find({ q: text }), ['a', '%', '&', '\ud800', marks]],
  'an idempotency key': [text => tell({ body: { key: text } }), ['a', ' ', '\u00e9']],
  'the name of a field of a multipart body': [text => send({ body: { [text]: 'x' } }), ['a', '"', '%22', '\ud800']],
  'the name and the type of a file': [
    text => {
      const bytes = Buffer.from('x')
      trying(filename => send({ body: { file: { bytes, filename } } }))(text)
      return send({ body: { file: { bytes, type: `a/b;${text}` } } })
    },
    ['a', '"', '";"', '\\', ';', ',', '="\\"', ' ', 'a/'],
  ],
  Accept: [
    text => chooseType(text, withStreams),
    [',', ';', 'a/b,', ' ', 'application/json;', 'application/json;q=0.,', ';q=', '"', 'a/b;c="\\"', 'text/*;q=0.'],
  ],
  'x-headwaters-fault': [
    text => readFaults(text, rehearsed),
    [',', '=', ':', ' ', 'a=', 'meow=', 'meow=drop,', 'meow=delay:', 'meow=delay:1', '1', '\t'],
  ],
  'Last-Event-ID': [readEventId, ['.', 'a', '-', '0', `7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10.1.`]],
  'a JSON Pointer': [text => readPointer(`/${text}`), ['/', '~', '~1', '%', '%7E', '%c3', 'a']],
  'a reference': [text => findReferences({ $ref: text }, [], []), ['#', '/', '#/data/', '~0', '%41']],
  Authorization: [text => isKey(`Bearer ${text}`), ['a', ' ', 'a ', '\u20ac']],
  Connection: [text => endToEnd({ connection: text, 'x-a': '1' }), [',', 'a,', ' ', ' ,']],
  'headers that code gives': [text => lowerCased({ [text]: '1', 'x-a': text }), ['A', '\u0130']],
  'x-forwarded-for': [addressOf, ['1.', '1', ':', '[', '::', '%', '1.1.1.1:', ' ']],
  'x-request-id': [text => requestIdOf({ headers: { 'x-request-id': text } } as never), ['a', ':']],
  'the URL for a log': [text => loggedRequest({ method: 'GET', url: text, host: text, ip: text }), ['?', '/', '%']],
  'a line of the log': [
    redaction.hide,
    [
      '=',
      '?key=',
      '&',
      '?',
      '?token',
      '&a-token=',
      '?api-',
      'client_',
      '-token=',
      '\\"key\\":\\"',
      '\\"key\\\\\\\\":',
      '\\"token\\" : ',
      '\\"',
      '\\',
      '//',
      '//a',
      '@',
      'Bearer ',
      'Basic+',
      'eyJ',
      'eyJaaaaa.',
      '[cut]',
      '[cut] (1 more)',
      'a s[cut]',
      'a secret of the service',
      'a secret of the service/[cut]',
    ],
  ],
  'numbers, integers and dates': [
    text => [{ n: text }, { b: text }, { d: text }, { l: text }].map(each => coerced.safeParse(each).success),
    ['1', '-', '1.', '1e', '0', '2024-', 'T', ' '],
  ],
  Link: [
    text => linkTarget(text, 'next'),
    [
      '<',
      '>',
      '</a>',
      '</a>,',
      '<a>;',
      ';',
      ',',
      ' ',
      '\t',
      '<a>;rel=',
      '<a>;rel="',
      '<a>;rel="\\',
      '\\',
      '"',
      'a',
      '=',
    ],
  ],
  'Cache-Control': [text => readDirectives(text), ['a', ',', 'a=', 'a="', 'a="\\",', '"', '\\', ' ', '=']],
  'Vary, Age, Expires and Date': [
    text =>
      freshnessOf(
        { vary: text, age: text, expires: text, date: text, 'cache-control': 'max-age=5' },
        { status: 200, policy, isAuthorized: false, isConfirmable: true, delay: 0, receivedAt: 0 },
      ),
    [',', '1', ' ', 'Mon', ' GMT'],
  ],
  'a date': [text => readHttpDate(text), ['Mon, ', ' ', '1']],
  'Retry-After': [text => readRetryAfter(text, 0), ['1', ' ', 'Mon']],
  'Transfer-Encoding': [text => isCloseDelimited('GET', 200, { 'transfer-encoding': text }), ['chunked', ',', ' ']],
  'white space behind a header': [text => withoutWhiteSpace({ a: text, b: [text, text] }), [' ', '\t', 'a ']],
  'integers of JSON': [
    text => parse(`{"a":"${text}","b":[${'9'.repeat(20)}]}`),
    ['1', '\\\\', '\\"', ' 12345678901234567', ':1', '['],
  ],
  'an answer to CONNECT': [
    text => new ConnectResponse().add(Buffer.from(`HTTP/1.1 200 ok\r\n${text}`)),
    ['\r', '\n', 'a\r\n', ' '],
  ],
}

for (const [what, [search, runs]] of Object.entries(readers)) {
  test(`${what}: a million characters are read in linear time`, async t => {
    for (const run of runs) {
      for (const end of ['', '\u00e9', 'x']) {
        const shape = { start: '', run, end }
        const cost = early(trying(search), shape)
        t.equal(typeof cost === 'string' ? cost : undefined, undefined, `${JSON.stringify(run)}, at first`)
        if (typeof cost === 'number' && end === '\u00e9')
          t.equal(late(trying(search), shape), undefined, JSON.stringify(run))
      }
    }
  })
}

test('an answer to CONNECT in pieces of one byte is read in linear time', async t => {
  const read = (text: string) => {
    const answer = new ConnectResponse()
    for (const byte of Buffer.from(text)) answer.add(Buffer.of(byte))
  }
  const head = (length: number) => `HTTP/1.1 200 ok\r\n${'a'.repeat(length)}`
  read(head(1000))
  const [half, whole] = [costOf(read, head(8000)), costOf(read, head(16_000))]
  t.ok(whole < 60 || whole < 3 * half, `${half} ms for half of it, ${whole} ms for all`)
})
