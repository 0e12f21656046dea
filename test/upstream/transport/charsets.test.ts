import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { operation, type Operation } from '../../../src/upstream/declare.ts'
import { farStore } from '../../helpers/far-store.ts'
import { failure } from '../../helpers/failure.ts'
import { written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const asJson = operation({ path: '/', output: z.unknown() })
const asText = operation({ path: '/', output: z.string(), responseType: 'text', accept: ['*/*'] })

async function ask<T>(t: Test, type: string, body: string | Buffer, what: Operation<object, T>) {
  const { send } = await wire(t, written(200, { 'content-type': type }, body), what)
  return (await send()).value
}

test('a charset has no effect on JSON, which is UTF-8', async t => {
  const value = { name: 'Zo\u00eb \u{1f408}' }
  for (const type of [
    'application/json;charset=ISO-8859-1',
    'application/json; charset="iso-8859-1"',
    'Application/JSON ; Charset=Windows-1252',
    'application/json;charset=utf-8;charset=latin1',
    'application/json;charset=latin1;charset=utf-8',
    'application/json; charset=utf-16',
    'application/json; charset=utf-7',
    'application/json; charset=none-that-is-known',
    'application/problem+json; charset=koi8-r',
    'text/json; charset=shift_jis',
  ]) {
    t.same(await ask(t, type, JSON.stringify(value), asJson), value, type)
    t.equal(await ask(t, type, JSON.stringify(value), asText), JSON.stringify(value), `${type}, read as text`)
  }
  const plain = operation({ path: '/', output: z.unknown(), accept: ['text/plain'] })
  t.same(await ask(t, 'text/plain; charset=latin1', JSON.stringify(value), plain), value, 'JSON in another type')
})

test('JSON in another charset is not UTF-8, whatever its type says', async t => {
  for (const [charset, body] of [
    ['iso-8859-1', Buffer.from('{"name":"Zo\u00eb"}', 'latin1')],
    ['utf-16', Buffer.from('\ufeff{}', 'utf16le')],
  ] as const)
    t.match(await failure(ask(t, `application/json; charset=${charset}`, body, asJson)), {
      code: 'UPSTREAM_ENCODING',
      message: /it is not UTF-8/,
    })
})

test('a byte order mark before JSON is taken off, whatever charset is declared', async t => {
  for (const charset of ['', '; charset=utf-8', '; charset=iso-8859-1'])
    t.same(await ask(t, `application/json${charset}`, '\ufeff{"a":1}', asJson), { a: 1 }, charset)
})

test('text is decoded by its charset', async t => {
  for (const [type, body, text] of [
    ['text/plain', Buffer.from('Zo\u00eb'), 'Zo\u00eb'],
    ['text/plain; charset=utf-8', Buffer.from('Zo\u00eb'), 'Zo\u00eb'],
    ['text/plain; charset=UTF8', Buffer.from('Zo\u00eb'), 'Zo\u00eb'],
    ['text/plain; charset=unicode-1-1-utf-8', Buffer.from('Zo\u00eb'), 'Zo\u00eb'],
    ['text/plain; charset=us-ascii', Buffer.from('Zoe'), 'Zoe'],
    ['text/plain; charset=iso-8859-1', Buffer.from('Zo\u00eb', 'latin1'), 'Zo\u00eb'],
    ['text/html; Charset="Latin1"', Buffer.from('Zo\u00eb', 'latin1'), 'Zo\u00eb'],
    ["text/html; charset='latin1'", Buffer.from('Zo\u00eb', 'latin1'), 'Zo\u00eb'],
    ['text/html; charset=windows-1252', Buffer.from('805a', 'hex'), '\u20acZ'],
    ['text/html; charset=iso-8859-15', Buffer.from('a45a', 'hex'), '\u20acZ'],
    ['text/html; charset=koi8-r', Buffer.from('cbcfd4', 'hex'), '\u043a\u043e\u0442'],
    ['text/html; charset=shift_jis', Buffer.from('944c', 'hex'), '\u732b'],
    ['text/html; charset=gbk', Buffer.from('c3a8', 'hex'), '\u732b'],
    ['text/html; charset=koi8-r; charset=latin1', Buffer.from('cb', 'hex'), '\u043a'],
    ['application/xml; charset=iso-8859-1', Buffer.from('<a>\u00eb</a>', 'latin1'), '<a>\u00eb</a>'],
    ['text/xml;charset=utf-16le', Buffer.from('<a>\u732b</a>', 'utf16le'), '<a>\u732b</a>'],
    ['application/atom+xml; charset=utf-16be', Buffer.from('003c732b', 'hex'), '<\u732b'],
    ['text/csv; charset=latin1', Buffer.from('\u00eb,1', 'latin1'), '\u00eb,1'],
    ['text/plain; charset=latin1', Buffer.alloc(0), ''],
  ] as const)
    t.equal(await ask(t, type, body, asText), text, type)
})

test('a byte order mark decides before the charset, and is taken off', async t => {
  for (const [charset, body] of [
    ['utf-8', 'efbbbf3c'],
    ['utf-16', 'fffe3c00'],
    ['utf-16', 'feff003c'],
    ['utf-16le', 'fffe3c00'],
    ['utf-16be', 'feff003c'],
    ['iso-8859-1', 'efbbbf3c'],
    ['koi8-r', 'feff003c'],
  ] as const)
    t.equal(await ask(t, `application/xml; charset=${charset}`, Buffer.from(body, 'hex'), asText), '<', charset)
})

test('bytes that are not text in their charset are refused, and the charset is named', async t => {
  for (const [charset, body, name] of [
    ['utf-8', 'c328', 'UTF-8'],
    ['us-ascii', 'eb', 'UTF-8'],
    ['shift_jis', '80e9', 'shift_jis'],
    ['utf-16le', '3c', 'utf-16le'],
    ['utf-16', '00d8', 'utf-16le'],
    ['koi8-r', 'efbbbfc328', 'utf-8'],
  ] as const)
    t.match(
      await failure(ask(t, `text/plain; charset=${charset}`, Buffer.from(body, 'hex'), asText)),
      { code: 'UPSTREAM_ENCODING', upstreamStatus: 200, message: new RegExp(`: it is not ${name}$`) },
      charset,
    )
})

test('a charset that cannot be decoded is refused, and only the log has its name', async t => {
  for (const charset of ['utf-7', 'utf-32', 'ibm037', 'x'.repeat(100), 'replacement', 'a\x9b2j']) {
    const error = await failure(ask(t, `text/plain; charset=${charset}`, 'a', asText))
    t.ok(error instanceof UpstreamError)
    t.match(error, {
      code: 'UPSTREAM_ENCODING',
      upstreamStatus: 200,
      message: /: its charset cannot be decoded$/,
      cause: { message: `the charset '${charset.slice(0, 40).replace('\x9b', '?')}' cannot be decoded` },
    })
  }
})

test('a charset that cannot be decoded is refused by its head, and its body is not read', async t => {
  const { send, upstream } = await wire(
    t,
    'HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=utf-7\r\ncontent-length: 100000\r\n\r\n',
    asText,
  )
  t.match(await failure(send()), { code: 'UPSTREAM_ENCODING' })
  await upstream.deserted()
})

test('a charset is nothing to bytes, and nothing to an empty body', async t => {
  const asBytes = operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes' })
  t.same(await ask(t, 'text/plain; charset=utf-7', 'a', asBytes), Buffer.from('a'))
  const mayBeEmpty = operation({ path: '/', output: z.string(), responseType: 'text', allowEmpty: true })
  t.equal(await ask(t, 'text/plain; charset=utf-7', '', mayBeEmpty), null)
  const { send } = await wire(
    t,
    'HTTP/1.1 200 OK\r\ncontent-type: text/a; charset=utf-7\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    mayBeEmpty,
  )
  t.match(await failure(send()), { code: 'UPSTREAM_ENCODING', message: /its charset cannot be decoded/ })
})

test('operations that share a list of types each read a charset in their own way', async t => {
  const accept = ['text/plain']
  const bytes = operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes', accept })
  const text = operation({ path: '/', output: z.string(), responseType: 'text', accept })
  for (const what of [bytes, text, bytes])
    t.same(
      await ask(t, 'text/plain; charset=latin1', Buffer.from([0xeb]), what as Operation<object, unknown>),
      what === text ? '\u00eb' : Buffer.from([0xeb]),
    )
})

test('text that is kept is decoded by its charset again, in memory and in a store of bodies', async t => {
  const kept = operation({ path: '/', output: z.string(), responseType: 'text', cache: { ttl: 60_000 } })
  const answer = written(200, { 'content-type': 'text/plain; charset=koi8-r' }, Buffer.from('cbcfd4', 'hex'))
  for (const options of [{}, { cacheStore: farStore().store }]) {
    const { send, upstream } = await wire(t, answer, kept, {}, options)
    t.match(await send(), { value: '\u043a\u043e\u0442', cached: { cache: 'miss' } })
    t.match(await send(), { value: '\u043a\u043e\u0442', cached: { cache: 'hit' } })
    t.equal(upstream.requests.length, 1)
  }
})
