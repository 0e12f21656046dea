import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'

const output = z.unknown()
const body = z.unknown()
const post = { method: 'POST', path: '/', body, output } as const
const { json, form, multipart, text, bytes } = defineUpstream(
  'shop',
  { origin: 'https://shop.example' },
  {
    json: operation(post),
    form: operation({ ...post, bodyType: 'form' }),
    multipart: operation({ ...post, bodyType: 'multipart' }),
    text: operation({ ...post, bodyType: 'text' }),
    bytes: operation({ ...post, bodyType: 'bytes' }),
  },
)

test('an undefined output means that the request has no body, in every format', t => {
  for (const call of [json, form, multipart, text, bytes]) t.equal(call({ body: undefined }).body, undefined)
  t.end()
})

test('a value that its format cannot represent is refused when the call is made, with its field and the fix', t => {
  const later = () => Promise.reject(new Error('late'))
  for (const [call, value, message] of [
    [text, 1, /shop\.text, body: a text is written from a string, got a number: convert it with \.transform/],
    [text, null, /got null/],
    [
      bytes,
      'a',
      /shop\.bytes, body: bytes are written from a Uint8Array, a stream of them or \{ stream, size \}, got a st/,
    ],
    [bytes, { stream: 'a' }, /got an object/],
    [bytes, { stream: new Blob([]).stream(), size: -1 }, /got an object/],
    [bytes, [1], /got a list/],
    [bytes, new ArrayBuffer(1), /got an object/],
    [form, 'a', /shop\.form: the output of body must be an object such as \{ name: 'tom' \}, got a string/],
    [form, null, /got null/],
    [form, ['a'], /got a list/],
    [form, new Map(), /the output of body must be a plain object/],
    [form, new Date(), /the output of body must be a plain object/],
    [form, later(), /the output of body must be a plain object/],
    [
      form,
      { a: {} },
      /shop\.form: the field 'a' of its form must be a string, a number, a boolean or a date: transform/,
    ],
    [form, { a: [['b']] }, /the field 'a' of its form/],
    [form, { a: Number.NaN }, /the field 'a' of its form/],
    [form, { a: later() }, /the field 'a' of its form/],
    [multipart, 'a', /shop\.multipart: the output of body must be an object such as/],
    [
      multipart,
      { a: { b: 1 } },
      /the field 'a' must be a string, .* or a file \{ bytes, filename, type \} or \{ stream, .* got an object with the field 'b': tr/,
    ],
    [multipart, { a: Symbol.iterator }, /got a symbol/],
    [multipart, { a: later() }, /got an object/],
    [multipart, { a: { bytes: 'text' } }, /got an object/],
    [multipart, { a: { bytes: Buffer.of(1), filename: 1 } }, /got an object/],
    [multipart, { a: { bytes: Buffer.of(1), type: 1 } }, /got an object/],
    [multipart, { a: { bytes: Buffer.of(1), name: 'a' } }, /got an object with the field 'name': transform it/],
    [multipart, { a: { bytes: Buffer.of(1), stream: new Blob([]).stream() } }, /got an object: transform/],
    [multipart, { a: { stream: new Blob([]).stream(), size: 0.5 } }, /got an object: transform/],
    [multipart, { a: { bytes: Buffer.of(1), size: 1 } }, /got an object: transform/],
    [multipart, { a: { stream: 'text' } }, /got an object: transform/],
    [multipart, { a: new File(['a'], 'a.txt') }, /got an object/],
  ] as const)
    t.throws(() => call({ body: value }), { name: 'TypeError', message }, message.source)
  t.end()
})

test('a form has the texts of its values, and leaves out what is not there', t => {
  const written = (value: unknown) => form({ body: value }).body
  t.equal(written({}), '')
  t.equal(written({ a: undefined, b: null, c: [], d: [null, 1] }), 'd=1')
  t.equal(
    written({ a: 12345678901234567890n, b: true, c: 1e21, d: new Date(0) }),
    'a=12345678901234567890&b=true&c=1e%2B21&d=1970-01-01T00%3A00%3A00.000Z',
  )
  t.equal(written({ "!'()~*-._ ": '&=+%\r\n\u010d\ud800' }), '%21%27%28%29%7E*-._+=%26%3D%2B%25%0D%0A%C4%8D%EF%BF%BD')
  t.end()
})
