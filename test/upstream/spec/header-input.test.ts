import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'

/** Declares an operation with options that the types refuse too, and JavaScript does not. */
function declare(options: object, upstream: Partial<UpstreamOptions> = {}) {
  const untyped = { path: '/', output: z.unknown(), ...options } as {
    readonly path: '/'
    readonly output: z.ZodUnknown
  }
  return defineUpstream('cats', { origin: 'https://cats.example', ...upstream }, { ask: operation(untyped) })
}

/** Declares a schema with one header. */
const one = (name: string, options: object = {}, upstream: Partial<UpstreamOptions> = {}) =>
  declare({ headers: z.object({ [name]: z.string() }), ...options }, upstream)

test('a header that a call cannot have is refused, and the message names the fix', t => {
  for (const [name, message] of [
    ['Host', /^cats\.ask, headers: the header 'Host' belongs to one connection or to the message framing: remove it$/],
    ['content-type', /'content-type' belongs to one connection/],
    ['proxy-authorization', /belongs to one connection/],
    ['a b', /^cats\.ask, headers: 'a b' is not the name of a header$/],
    ['__proto__', /the header '__proto__' cannot be sent: rename it$/],
    ['__Proto__', /the header '__Proto__' cannot be sent: rename it$/],
    ['set-cookie', /the header 'set-cookie' is a response header: remove it$/],
    ['Traceparent', /the header 'Traceparent' names the span of one attempt.*set traceContext: true/],
    ['tracestate', /names the span of one attempt/],
    ['idempotency-key', /is sent by idempotencyKey, which also allows retries: set that option instead$/],
    ['range', /requests a partial response, and a call needs the complete response: remove it$/],
    ['if-range', /requests a partial response/],
    ['If-None-Match', /makes a GET conditional, and a call needs the complete response: remove it, or set cache$/],
  ] as const)
    t.throws(() => one(name), { name: 'TypeError', message }, name)
  t.end()
})

test('a condition is allowed for an unsafe call, and refused for a safe one', t => {
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    t.ok(one(name, { method: 'PUT' }))
    t.throws(() => one(name, { method: 'POST', safe: true }), { message: /makes a POST conditional/ })
  }
  t.end()
})

test('the header of the credentials is refused, whichever form they have', t => {
  const secret = env('SECRET')
  const oauth2 = { tokenUrl: 'https://t.example/token', clientId: 'id', clientSecret: secret }
  const message = /the header '.*' is sent by the upstream's auth: remove one of them$/
  for (const auth of [{ bearer: secret }, { oauth2 }] as const)
    t.throws(() => one('Authorization', {}, { auth }), { name: 'TypeError', message })
  t.throws(() => one('x-api-key', {}, { auth: { header: 'X-Api-Key', secret } }), { name: 'TypeError', message })
  t.ok(one('authorization', {}, { auth: { header: 'x-api-key', secret } }))
  t.ok(one('authorization', {}, { auth: { query: 'key', secret } }))
  t.ok(one('authorization'))
  t.end()
})

test('two spellings of a header are refused', t => {
  t.throws(() => declare({ headers: z.object({ 'X-A': z.string(), 'x-a': z.string() }) }), {
    name: 'TypeError',
    message: /^cats\.ask, headers: 'X-A' and 'x-a' are the same header/,
  })
  const twice = z.union([z.object({ 'x-a': z.string() }), z.object({ 'x-a': z.int() })])
  t.ok(declare({ headers: twice }))
  t.end()
})

test('a schema whose header names are not known is refused', t => {
  for (const [headers, type] of [
    [z.any(), 'any'],
    [z.unknown(), 'unknown'],
    [z.custom<object>(), 'custom'],
    [z.looseObject({ 'x-a': z.string() }), 'object'],
    [z.object({ 'x-a': z.string() }).catchall(z.string()), 'object'],
    [z.record(z.string(), z.string()), 'record'],
    [z.looseRecord(z.enum(['x-a']), z.string()), 'record'],
    [z.object({ a: z.string() }).transform(({ a }) => ({ 'x-a': a })), 'transform'],
    [z.object({ 'x-a': z.string() }).or(z.record(z.string(), z.string())), 'record'],
  ] as const)
    t.throws(() => declare({ headers }), {
      name: 'TypeError',
      message: new RegExp(`^cats\\.ask, headers: the names of its fields are not known from '${type}': use z\\.object`),
    })
  t.end()
})

test('a schema that names its headers is accepted, through every wrapper', t => {
  const own = z.object({ 'x-a': z.string().optional() })
  const recursive: z.ZodType = z.lazy(() => z.union([own, recursive]))
  for (const headers of [
    own,
    own.optional(),
    own.default({}),
    own.nullable(),
    own.readonly(),
    own.catch({}),
    z.strictObject({ 'x-a': z.string() }),
    z.object({ 'x-a': z.string() }).and(z.object({ 'x-b': z.string() })),
    z.record(z.enum(['x-a', 'x-b']), z.string()),
    z.preprocess(given => given, own),
    z.lazy(() => own),
    z.union([own, z.never()]),
    z.lazy((): z.ZodType => {
      throw new ReferenceError('declared later in the file')
    }),
    recursive,
  ])
    t.ok(declare({ headers }))
  t.end()
})

test('a value that a header cannot hold is refused, and the message names its place', t => {
  for (const [field, message] of [
    [
      z.array(z.string()),
      /^cats\.ask, headers, at \/properties\/x-a: 'array' cannot be written into a header: convert/,
    ],
    [z.object({}), /'object' cannot be written into a header/],
    [z.map(z.string(), z.string()), /'map' cannot be written into a header/],
    [z.date(), /'date' cannot be written into a header: convert it with .*toUTCString\(\)\), or with toISOString\(\)$/],
    [
      z
        .string()
        .transform(text => new Date(text))
        .pipe(z.date()),
      /'date' cannot be written/,
    ],
    [z.symbol(), /'symbol' cannot be written/],
  ] as const)
    t.throws(() => declare({ headers: z.object({ 'x-a': field }) }), { name: 'TypeError', message })
  for (const field of [z.string(), z.int(), z.bigint(), z.boolean(), z.enum(['a']), z.literal([1, null]), z.null()])
    t.ok(declare({ headers: z.object({ 'x-a': field.nullish() }) }))
  t.throws(() => declare({ headers: z.string() }), {
    message: "cats.ask, headers: 'string' cannot be written into a header: use z.object(…) with a field for each value",
  })
  t.throws(() => declare({ headers: 'x-a' }), { name: 'TypeError', message: /headers schema is not a zod 4 schema/ })
  t.end()
})

test('an input has its headers under one key, so no field of params or query can have that name', t => {
  const fields = z.object({ headers: z.string() })
  const headers = z.object({ 'x-a': z.string() })
  t.throws(() => declare({ headers, query: fields }), {
    name: 'TypeError',
    message: "cats.ask: 'headers' is a field of query, and an input has its headers there: rename it",
  })
  t.throws(() => declare({ headers, path: '/{headers}', params: fields }), {
    message: /'headers' is a field of params/,
  })
  t.ok(declare({ query: fields }), 'the name is free without a headers schema')
  t.end()
})
