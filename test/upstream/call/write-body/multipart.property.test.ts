import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import type { MultipartBody } from '../../../../src/upstream/call/write-body/request-body.ts'

const { send } = defineUpstream(
  'shop',
  { origin: 'https://shop.example' },
  {
    send: operation({
      method: 'POST',
      path: '/',
      bodyType: 'multipart',
      body: z.record(z.string(), z.unknown()),
      output: z.unknown(),
    }),
  },
)

/** Writes a body and reads it with the parser of the platform. */
async function readBack(body: Readonly<Record<string, unknown>>): Promise<(readonly [string, unknown])[]> {
  const written = send({ body }).body as MultipartBody
  const headers = { 'content-type': written.contentType }
  const form = await new Response(Buffer.from(written.bytes), { headers }).formData()
  return Promise.all(
    [...form].map(async ([name, value]) =>
      typeof value === 'string'
        ? ([name, value] as const)
        : ([name, { filename: value.name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) }] as const),
    ),
  )
}

/** Names that a multipart body can hold. `%22`, `%0D` and `%0A` are the escapes of the format, so they are not exact. */
const names = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  // oxlint-disable-next-line no-control-regex -- control characters are refused
  .filter(name => !/[\x00-\x1f\x7f\\]|%(?:22|0d|0a)/i.test(name) && name.isWellFormed())

/** Texts and bytes with the parts of a multipart body in them. */
const traps = [
  '\r\n',
  '--',
  '--headwaters-',
  '\r\n--',
  'Content-Disposition: form-data; name="x"',
  '"',
  '\n',
  '\0',
  '\u010d',
]
const texts = fc
  .array(fc.oneof(fc.constantFrom(...traps), fc.string({ unit: 'grapheme' })), { maxLength: 6 })
  .map(pieces => pieces.join('').toWellFormed())
const files = fc.record({
  filename: names,
  type: fc.constantFrom('text/plain', 'image/png', 'application/vnd.api+json'),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes)),
    texts.map(text => Buffer.from(text)),
  ),
})

test('a multipart body that the platform reads has the fields, the texts and the files of its input', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        names.filter(name => name !== '__proto__'),
        fc.oneof(texts, files, fc.array(fc.oneof(texts, files), { maxLength: 3 })),
        { maxKeys: 5, noNullPrototype: true },
      ),
      async body => {
        const expected = Object.entries(body).flatMap(([name, value]) =>
          (Array.isArray(value) ? value : [value]).map(item => [name, item] as const),
        )
        const received = await readBack(body)
        if (JSON.stringify(received) !== JSON.stringify(expected))
          throw new Error(`${JSON.stringify(received)} instead of ${JSON.stringify(expected)}`)
      },
    ),
    { numRuns: 300 },
  )
  t.strictSame(await readBack({ last: ['a', 'b'] }), [
    ['last', 'a'],
    ['last', 'b'],
  ])
})

test('a quote in a name or a filename comes back as a quote, and a field of its own stays one', async t => {
  const bytes = Buffer.from('a')
  const type = 'text/plain'
  for (const name of ['"', 'a"; filename="b', '"; name="c', '";"', '\u2028', 'a;b=c', "'", 'C:/x', '\u00fc.png']) {
    t.strictSame(await readBack({ [name]: 'x', file: { bytes, filename: name, type } }), [
      [name, 'x'],
      ['file', { filename: name, type, bytes }],
    ])
  }
})

test('a name, a filename and a type that could be read as another header are refused', t => {
  const bytes = Buffer.from('a')
  for (const attack of [
    '\r\nX: y',
    'a\nb',
    'a\rb',
    '\0',
    'a\tb',
    '\x7f',
    '\\',
    'a\\"; filename=\\"b',
    '\r\n\r\nbody',
  ]) {
    t.throws(() => send({ body: { [attack]: 'x' } }), {
      code: 'CALL_INPUT_INVALID',
      message: /a field of its body has a name with a control character or a backslash/,
    })
    t.throws(() => send({ body: { file: { bytes, filename: attack } } }), {
      code: 'CALL_INPUT_INVALID',
      message: /the filename of its field 'file' has a control character or a backslash/,
    })
  }
  for (const type of [
    'text/plain\r\nX: y',
    'text',
    '',
    '/',
    'a/b, c/d',
    'text/pl\u00e4in',
    'text/plain\0',
    'te xt/plain',
  ])
    t.throws(() => send({ body: { file: { bytes, filename: 'a', type } } }), {
      code: 'CALL_INPUT_INVALID',
      message: /the type of its field 'file' is not a media type, because it has /,
    })
  t.end()
})

test('a file without a filename is a part with its type, and has no type of its own by default', t => {
  const written = (file: object) => Buffer.from((send({ body: { meta: file } }).body as MultipartBody).bytes).toString()
  const bytes = Buffer.from('{}')
  t.match(
    written({ bytes, type: 'application/json' }),
    /name="meta"\r\nContent-Type: application\/json\r\n\r\n\{\}\r\n--/,
  )
  t.match(written({ bytes }), /name="meta"\r\n\r\n\{\}\r\n--/)
  t.end()
})
