import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { readInSteps } from '../../../src/upstream/transport/body.ts'
import type { ResponseHeaders } from '../../../src/upstream/transport/response-headers.ts'
import { failure } from '../../helpers/failure.ts'
import { written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const mebibyte = 1024 * 1024
const asText = operation({ path: '/', output: z.string(), responseType: 'text', accept: ['*/*'] })
const maybeText = operation({ path: '/', output: z.string(), responseType: 'text', allowEmpty: true })
const maybeJson = operation({ path: '/', output: z.unknown(), allowEmpty: true })
const paged = operation({
  path: '/',
  output: z.unknown(),
  allowEmpty: true,
  responseHeaders: z.object({ 'x-total': z.coerce.number() }),
})
const asBytes = operation({ path: '/', output: z.instanceof(Uint8Array), responseType: 'bytes' })
const declared = defineUpstream('u', { origin: 'http://u.test' }, { asBytes, asText, maybeText, maybeJson, paged })

/** Reads a body in steps, and counts them. */
function read(name: keyof typeof declared & string, headers: ResponseHeaders, body: Buffer) {
  const all = readInSteps(declared[name]().spec, 200, headers, body)
  for (let steps = 1; ; steps++) {
    const { done, value } = all.next()
    if (done === true) return { value, steps }
  }
}

test('5 MiB of white space are scanned once, 1 MiB in a step', async t => {
  for (const mark of ['', '\ufeff'])
    for (const space of [' ', '\n', '\r\t'])
      t.same(read('maybeJson', {}, Buffer.concat([Buffer.from(mark), Buffer.alloc(5 * mebibyte - 3, space)])), {
        value: null,
        steps: 6,
      })
  t.same(read('paged', { 'x-total': '7' }, Buffer.alloc(mebibyte, ' ')).value, {
    body: null,
    headers: { 'x-total': 7 },
  })
})

test('large bytes are read in one step', t => {
  const body = Buffer.alloc(5 * mebibyte, 1)
  t.same(read('asBytes', {}, body), { value: body, steps: 1 })
  t.end()
})

test('a value behind much white space is read, and needs a type', async t => {
  const body = Buffer.concat([Buffer.alloc(2 * mebibyte, ' '), Buffer.from('{"a":1}')])
  t.same(read('maybeJson', { 'content-type': 'application/json' }, body).value, { a: 1 })
  t.throws(() => read('maybeJson', {}, body), { code: 'UPSTREAM_CONTENT_TYPE' })
})

test('large text in another charset is decoded in steps of 256 KiB', async t => {
  for (const [charset, character, text] of [
    ['shift_jis', '944c', '\u732b'],
    ['gb18030', '9439da33', '\u{1f4a9}'],
    ['iso-8859-1', '80', '\u20ac'],
  ] as const) {
    const bytes = Buffer.from(character, 'hex')
    const body = Buffer.concat([Buffer.from('a'), Buffer.alloc(mebibyte, bytes)])
    const { value, steps } = read('asText', { 'content-type': `text/plain; charset=${charset}` }, body)
    t.equal(steps, 6, charset)
    t.ok(value === `a${text.repeat(mebibyte / bytes.length)}`, charset)
  }
})

test('large text that ends within a character is refused with the name of its charset', async t => {
  const body = Buffer.concat([Buffer.alloc(mebibyte, 'a'), Buffer.from([0x94])])
  t.throws(() => read('asText', { 'content-type': 'text/plain; charset=shift_jis' }, body), {
    code: 'UPSTREAM_ENCODING',
    message: /: it is not shift_jis$/,
  })
})

test('a byte order mark of large text overrides its charset', async t => {
  const headers = { 'content-type': 'text/plain; charset=koi8-r' }
  const utf8 = Buffer.concat([Buffer.from('\ufeff'), Buffer.alloc(mebibyte, '\u00eb')])
  t.ok(read('asText', headers, utf8).value === '\u00eb'.repeat(mebibyte / 2))
  const utf16 = Buffer.concat([Buffer.from('\ufeff', 'utf16le'), Buffer.alloc(mebibyte, '\u00eb', 'utf16le')])
  t.ok(read('asText', headers, utf16).value === '\u00eb'.repeat(mebibyte / 2))
})

test('large text that could have been empty needs a type', async t => {
  const body = Buffer.alloc(mebibyte, 0xeb)
  t.throws(() => read('maybeText', { 'content-type': 'image/png; charset=latin1' }, body), {
    code: 'UPSTREAM_CONTENT_TYPE',
  })
  t.ok(read('maybeText', { 'content-type': 'text/plain; charset=latin1' }, body).value === '\u00eb'.repeat(mebibyte))
})

test('large bodies of both kinds are read over a socket', async t => {
  const type = { 'content-type': 'text/plain; charset=shift_jis' }
  const cats = await wire(t, written(200, type, Buffer.alloc(mebibyte, Buffer.from('944c', 'hex'))), asText)
  t.ok((await cats.send()).value === '\u732b'.repeat(mebibyte / 2))
  const cut = await wire(t, written(200, type, Buffer.alloc(mebibyte + 1, Buffer.from('944c', 'hex'))), asText)
  t.match(await failure(cut.send()), { code: 'UPSTREAM_ENCODING' })
  const blank = await wire(
    t,
    written(200, { 'content-type': 'application/json' }, Buffer.alloc(4 * mebibyte, ' ')),
    maybeJson,
  )
  t.equal((await blank.send()).value, null)
})
