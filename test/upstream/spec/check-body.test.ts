import { test } from 'tap'
import { z } from 'zod'
import type { BodyType } from '../../../src/upstream/spec/body-type.ts'
import { operationSpec } from '../../../src/upstream/spec/check-operation.ts'
import { upstreamSpec } from '../../../src/upstream/spec/check-upstream.ts'

const shop = upstreamSpec('shop', { origin: 'https://shop.example' }, [])
const spec = (options: object) =>
  operationSpec(shop, 'send', { method: 'POST', path: '/', output: z.unknown(), ...options })

const bytes = z.instanceof(Uint8Array)
const file = z.object({ bytes, filename: z.string(), type: z.string().optional() })

test('a body type has its content type', t => {
  const body = z.unknown()
  const types = (['json', 'form', 'multipart', 'text', 'bytes'] as const).map(
    bodyType => spec({ body, bodyType }).contentType,
  )
  t.strictSame(types, [
    'application/json',
    'application/x-www-form-urlencoded',
    undefined,
    'text/plain;charset=utf-8',
    'application/octet-stream',
  ])
  t.match(spec({ body }), { bodyType: 'json', contentType: 'application/json' })
  for (const [bodyType, contentType] of [
    ['json', 'application/vnd.api+json'],
    ['json', 'text/json'],
    ['json', 'application/json; charset=UTF-8'],
    ['text', 'text/csv;header=present'],
    ['text', 'application/xml; charset="utf-8"'],
    ['bytes', 'text/plain; charset=iso-8859-1'],
    ['bytes', 'image/png'],
  ])
    t.equal(spec({ body, bodyType, contentType }).contentType, contentType)
  t.end()
})

test('a body type and a content type that do not fit are refused with the fix', t => {
  const body = z.string()
  for (const [options, message] of [
    [
      { body, bodyType: 'xml' },
      /shop\.send: bodyType must be 'json', 'form', 'multipart', 'text' or 'bytes', got 'xml'/,
    ],
    [{ body, bodyType: 1 }, /bodyType must be a string such as 'form', got a number/],
    [{ body, bodyType: 'toString' }, /bodyType must be/],
    [{ bodyType: 'text' }, /bodyType is set, but the operation has no body: add body, or remove bodyType/],
    [{ contentType: 'text/csv' }, /contentType is set, but the operation has no body/],
    [{ body, contentType: 1 }, /contentType must be a string such as 'application\/vnd\.api\+json', got a number/],
    [
      { body, contentType: 'text/csv' },
      /contentType must be a JSON type .* got 'text\/csv': set bodyType to 'text' or/,
    ],
    [{ body, contentType: 'json' }, /contentType is not a media type, because it has no type and subtype: write type/],
    [{ body, bodyType: 'text', contentType: 'text/csv\r\nx: y' }, /a character that is not printable ASCII/],
    [{ body, bodyType: 'text', contentType: 'text/csv, text/html' }, /it has a comma/],
    [
      { body, bodyType: 'text', contentType: 'text/csv;charset=utf-16' },
      /has the charset 'utf-16', and a text is sent/,
    ],
    [{ body: z.object({}), bodyType: 'form', contentType: 'text/csv' }, /a form body has a content type of its own/],
    [{ body: z.object({}), bodyType: 'multipart', contentType: 'text/csv' }, /a multipart body has a content type of/],
    [{ body: z.object({}), bodyType: 'multipart', coalesce: true }, /no two calls are equal: remove coalesce/],
    [{ body: z.object({}), bodyType: 'multipart', cache: {} }, /no two calls are equal: remove cache/],
  ] as const)
    t.throws(() => spec(options), { name: 'TypeError', message })
  t.end()
})

test('a schema whose output fits the body type is accepted', t => {
  const cases: readonly (readonly [BodyType, z.ZodType])[] = [
    ['text', z.string().optional()],
    ['text', z.enum(['a', 'b'])],
    ['text', z.literal('a')],
    ['text', z.templateLiteral(['a', z.int()])],
    ['text', z.union([z.string(), z.undefined(), z.void()])],
    ['text', z.object({ a: z.string() }).transform(({ a }) => a)],
    ['text', z.string().nullable().transform(String)],
    ['bytes', bytes],
    ['bytes', bytes.optional()],
    ['bytes', z.custom<Uint8Array>()],
    ['bytes', z.union([bytes, z.undefined()])],
    ['bytes', z.object({ stream: z.custom(), size: z.int() })],
    ['bytes', z.union([bytes, z.object({ stream: z.custom() })])],
    ['multipart', z.object({ file: z.object({ stream: z.custom(), size: z.int(), filename: z.string() }) })],
    ['form', z.object({ a: z.string(), b: z.array(z.int()).optional(), c: z.date().nullable(), d: z.literal(null) })],
    ['form', z.record(z.string(), z.string())],
    [
      'multipart',
      z.object({ a: z.string(), file, files: z.array(file), either: z.union([z.string(), file]).nullish() }),
    ],
    ['multipart', z.object({ file: z.object({ bytes }) })],
    ['multipart', z.object({ file: z.unknown() })],
  ]
  for (const [bodyType, body] of cases) t.doesNotThrow(() => spec({ body, bodyType }), bodyType)
  t.end()
})

test('a schema whose output does not fit the body type is refused with its place and the fix', t => {
  const cases: readonly (readonly [BodyType, z.ZodType, RegExp])[] = [
    [
      'text',
      z.int(),
      /shop\.send, body: 'number' cannot be written as a text: convert it to a string with \.transform/,
    ],
    ['text', z.object({}), /'object' cannot be written as a text/],
    ['text', z.array(z.string()), /'array' cannot be written as a text/],
    ['text', z.string().nullable(), /'nullable' cannot be written as a text: remove \.nullable\(\), or use \.optional/],
    ['text', z.literal(['a', 1]), /'literal' cannot be written as a text/],
    ['bytes', z.string(), /'string' cannot be written as bytes: use z\.instanceof\(Uint8Array\) or z\.inst/],
    ['bytes', bytes.nullable(), /'nullable' cannot be written as bytes/],
    ['bytes', z.array(z.int()), /'array' cannot be written as bytes/],
    ['bytes', z.object({ size: z.int() }), /'object' cannot be written as bytes/],
    ['bytes', z.object({ stream: z.custom(), name: z.string() }), /'object' cannot be written as bytes/],
    ['multipart', z.object({ a: z.object({ bytes, stream: z.custom() }) }), /at \/properties\/a: 'object'/],
    ['form', z.string(), /'string' cannot be written into a form: use z\.object\(…\) with a field for each value/],
    [
      'form',
      z.object({ a: z.object({}) }),
      /at \/properties\/a: 'object' cannot be written into a form: convert it to a/,
    ],
    ['form', z.object({ a: z.array(z.array(z.string())) }), /at \/properties\/a\/items: 'array' cannot be written/],
    ['multipart', z.string(), /'string' cannot be written into a multipart body: use z\.object/],
    [
      'multipart',
      z.object({ a: z.object({}) }),
      /at \/properties\/a: 'object' .* or write a file as \{ bytes, filename, type \}/,
    ],
    ['multipart', z.object({ a: z.object({ bytes, name: z.string() }) }), /at \/properties\/a: 'object'/],
    ['multipart', z.object({ a: z.record(z.string(), z.string()) }), /at \/properties\/a: 'record'/],
    ['multipart', z.object({ a: z.file() }), /at \/properties\/a: 'file'/],
  ]
  for (const [bodyType, body, message] of cases)
    t.throws(() => spec({ body, bodyType }), { name: 'TypeError', message }, `${bodyType} ${message.source}`)
  t.end()
})
