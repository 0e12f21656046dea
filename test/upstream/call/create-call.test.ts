import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, env, operation } from '../../../src/upstream/declare.ts'

const cats = defineUpstream(
  'cats',
  { origin: 'https://cats.example' },
  {
    random: operation({ path: '/random', output: z.unknown() }),
    one: operation({ path: '/{id}', params: z.object({ id: z.string().regex(/^[a-z]+$/) }), output: z.unknown() }),
    find: operation({
      path: '/find',
      query: z.object({ q: z.string(), limit: z.number().int().max(10).default(5) }),
      output: z.unknown(),
    }),
    strict: operation({
      path: '/{kind}',
      params: z.strictObject({ kind: z.string() }),
      query: z.strictObject({ q: z.string(), page: z.number().optional() }),
      output: z.unknown(),
    }),
    loose: operation({
      path: '/loose',
      method: 'POST',
      query: z.looseObject({ q: z.string() }).transform(({ q }) => ({ q })),
      body: z.object({ a: z.number() }),
      output: z.unknown(),
    }),
    put: operation({
      method: 'PUT',
      path: '/{id}',
      params: z.object({ id: z.string() }),
      query: z.object({ dry: z.boolean().optional() }),
      body: z.strictObject({ name: z.string().trim() }),
      idempotencyKey: ({ id, body }) => `${id}:${body.name}`,
      output: z.unknown(),
    }),
    ping: operation({ method: 'POST', path: '/ping', idempotencyKey: () => 'always', output: z.unknown() }),
  },
)

test('an operation without input makes one shared call that cannot be changed', t => {
  t.equal(cats.random(), cats.random())
  t.ok(Object.isFrozen(cats.random()))
  t.match(cats.random(), { path: '/random', body: undefined })
  t.end()
})

test('input becomes path, query and body by its schemas, defaults and transforms included', t => {
  t.equal(cats.one({ id: 'tom' }).path, '/tom')
  t.equal(cats.find({ q: 'a b' }).path, '/find?q=a%20b&limit=5')
  t.match(cats.put({ id: 'x', dry: true, body: { name: ' tom ' } }), {
    path: '/x?dry=true',
    body: '{"name":"tom"}',
    idempotencyKey: 'x: tom ',
  })
  t.match(cats.put({ id: 'x', body: { name: 'tom' } }), { path: '/x', idempotencyKey: 'x:tom' })
  t.match(cats.loose({ q: 'x', body: { a: 1 } }), { path: '/loose?q=x', body: '{"a":1}' })
  t.match(cats.ping(), { path: '/ping', body: undefined, idempotencyKey: 'always' })
  t.end()
})

test('a path and a query of plain fields are written from the input, in the order of the schemas', t => {
  const { find } = defineUpstream(
    'cats',
    { origin: 'https://cats.example', auth: { query: 'key', secret: env('CATS_KEY') } },
    {
      find: operation({
        path: '/{kind}/{at},{of}',
        params: z.object({ of: z.int(), kind: z.string(), at: z.number().min(-90).max(90) }),
        query: z.object({
          tags: z.array(z.string().max(5)).optional(),
          q: z.string().optional(),
          page: z.int().default(1),
          size: z.int(),
          'a b': z.union([z.string(), z.number()]).nullish(),
        }),
        output: z.unknown(),
      }),
    },
  )
  const some = { kind: 'tom', at: -1.5, of: 7, size: 9 }
  t.equal(find(some).path, '/tom/-1.5,7?page=1&size=9')
  t.equal(
    find({ ...some, kind: 'ko\u010dka', tags: ['a', 'b&'], page: 2 }).path,
    '/ko%C4%8Dka/-1.5,7?tags=a&tags=b%26&page=2&size=9',
  )
  t.equal(find({ ...some, q: 'x y', 'a b': null, tags: [] }).path, '/tom/-1.5,7?q=x%20y&page=1&size=9')
  t.equal(find({ ...some, 'a b': 1e21, q: undefined }).path, '/tom/-1.5,7?page=1&size=9&a%20b=1e%2B21')
  for (const [input, message] of [
    [{ ...some, at: 91 }, /: at: /],
    [{ ...some, kind: '..' }, /the path parameter 'kind' contains a '\.' or '\.\.' segment/],
    [{ ...some, size: 1.5 }, /: size: /],
    [{ ...some, tags: ['longer'] }, /: tags\.0: /],
    [{ ...some, of: undefined as never }, /: of: /],
  ] as const)
    t.throws(() => find(input), { code: 'CALL_INPUT_INVALID', message })
  t.end()
})

test('a date is written in its ISO form, into a path as into a query', t => {
  const at = new Date(Date.UTC(2024, 4, 1, 10))
  const { day } = defineUpstream(
    'days',
    { origin: 'https://days.example' },
    {
      day: operation({
        path: '/{at}/{count}/{big}/{isOpen}',
        params: z.object({ at: z.coerce.date(), count: z.number(), big: z.bigint(), isOpen: z.boolean() }),
        query: z.object({ since: z.date(), on: z.array(z.date()) }),
        output: z.unknown(),
      }),
    },
  )
  t.equal(
    day({ at, count: 1.5, big: 12345678901234567890n, isOpen: true, since: at, on: [at, at] }).path,
    '/2024-05-01T10%3A00%3A00.000Z/1.5/12345678901234567890/true?since=2024-05-01T10%3A00%3A00.000Z' +
      '&on=2024-05-01T10%3A00%3A00.000Z&on=2024-05-01T10%3A00%3A00.000Z',
  )
  t.end()
})

test('a value that only a call shows, such as the result of a transform, is refused when the call is made', t => {
  const { ask } = defineUpstream(
    'days',
    { origin: 'https://days.example' },
    {
      ask: operation({
        path: '/{id}',
        params: z.object({ id: z.string().transform(text => (text === 'ok' ? text : { text })) }),
        query: z.object({ q: z.unknown() }),
        output: z.unknown(),
      }),
    },
  )
  t.equal(ask({ id: 'ok', q: 'a' }).path, '/ok?q=a')
  t.throws(() => ask({ id: 'no', q: 'a' }), { name: 'TypeError', message: /days\.ask: the path parameter 'id'/ })
  for (const q of [{}, Number.NaN, () => {}, Symbol.iterator, new Map()])
    t.throws(() => ask({ id: 'ok', q }), { name: 'TypeError', message: /days\.ask: the query parameter 'q'/ })
  t.end()
})

test('a body of which JSON would drop something is refused when the call is made, with its place', async t => {
  const bodies = {
    map: [z.record(z.string(), z.number()).transform(all => new Map(Object.entries(all))), { a: 1 }, '', 'a Map'],
    set: [z.any(), new Set([1]), '', 'a Set'],
    function: [z.string().transform(() => () => 1), 'a', '', 'a function'],
    symbol: [z.string().transform(text => Symbol(text)), 'a', '', 'a symbol'],
    inner: [z.object({ tags: z.array(z.unknown()) }), { tags: ['a', new Set(['b'])] }, ', at /tags/1', 'a Set'],
    promise: [z.looseObject({}), { a: Promise.reject(new Error('late')) }, ', at /a', 'a promise'],
    number: [z.string().transform(Number), 'x', '', 'NaN'],
  } as const
  for (const [name, [body, input, at, kind]] of Object.entries(bodies)) {
    const { post } = defineUpstream(
      'cats',
      { origin: 'https://cats.example' },
      { post: operation({ method: 'POST', path: '/', body: body as z.ZodType<unknown>, output: z.unknown() }) },
    )
    t.throws(
      () => post({ body: input }),
      {
        name: 'TypeError',
        message:
          `cats.post, body${at}: ${kind} cannot be written as JSON: ` +
          'convert it to an object, a list or a string with .transform(…)',
      },
      name,
    )
  }
  const { post } = defineUpstream(
    'cats',
    { origin: 'https://cats.example' },
    { post: operation({ method: 'POST', path: '/', body: z.unknown(), output: z.unknown() }) },
  )
  t.equal(post({ body: { at: new Date(0), none: undefined } }).body, '{"at":"1970-01-01T00:00:00.000Z"}')
  t.equal(post({ body: undefined }).body, undefined)
  t.equal(post({ body: { toJSON: () => [1] } }).body, '[1]')
  for (const returned of [undefined, () => 1, Symbol('a')])
    t.throws(() => post({ body: { toJSON: () => returned } }), {
      name: 'TypeError',
      message: /^cats\.post, body: its toJSON returns a value that JSON cannot represent: convert it to an object/,
    })
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  t.throws(() => post({ body: circle }), { name: 'TypeError', message: /circular/ })
})

test('schemas that refuse what they do not know still share one input', t => {
  t.equal(cats.strict({ kind: 'tom', q: 'x' }).path, '/tom?q=x')
  t.equal(cats.strict({ kind: 'tom', q: 'x', page: 2 }).path, '/tom?q=x&page=2')
  t.end()
})

test('the error about refused input names the field and does not quote the value', t => {
  const secret = 'secret1'
  for (const [ask, message] of [
    [() => cats.one({ id: secret }), /id: /],
    [() => cats.one({} as never), /id: /],
    [() => cats.one(undefined as never), /id: /],
    [() => cats.find({ q: 'x', limit: 11 }), /limit: /],
    [() => cats.strict({ kind: 'a', q: 7 as never }), /q: /],
    [() => cats.put({ id: 'x', body: { name: 7 as never } }), /body\.name: /],
    [() => cats.put({ id: 'x' } as never), /body: /],
    [() => cats.find('x' as never), /input: /],
  ] as const) {
    t.throws(ask, { name: 'UpstreamError', code: 'CALL_INPUT_INVALID', statusCode: 400, message })
    try {
      ask()
    } catch (error) {
      t.notMatch(String(error), secret)
      t.ok((error as Error).cause instanceof z.ZodError, 'the whole reason is there for the log')
    }
  }
  t.end()
})

test('a key that no header can hold is refused before anything is sent', t => {
  const { ask } = defineUpstream(
    'cats',
    { origin: 'http://cats.example' },
    {
      ask: operation({
        method: 'POST',
        path: '/',
        query: z.object({ key: z.string() }),
        idempotencyKey: ({ key }) => key,
        output: z.unknown(),
      }),
    },
  )
  for (const key of ['', ' ', 'a\r\nx-evil: 1', 'schl\u00fcssel', '\u20ac', 'a\0'])
    t.throws(() => ask({ key }), { code: 'CALL_INPUT_INVALID' }, JSON.stringify(key))
  t.equal(ask({ key: 'order 7' }).idempotencyKey, 'order 7')
  t.end()
})

const { keyed } = defineUpstream(
  'cats',
  { origin: 'http://cats.example' },
  {
    keyed: operation({
      method: 'POST',
      path: '/',
      query: z.object({ key: z.string() }),
      idempotencyKey: ({ key }) => key,
      output: z.unknown(),
    }),
  },
)

test('a key has at most 255 characters', t => {
  t.equal(keyed({ key: 'k'.repeat(255) }).idempotencyKey?.length, 255)
  t.throws(() => keyed({ key: 'k'.repeat(256) }), {
    code: 'CALL_INPUT_INVALID',
    statusCode: 400,
    message: /idempotency key has more than 255 characters/,
  })
  t.end()
})

test('a long key that ends in a letter beyond ASCII costs no time', t => {
  const at = process.cpuUsage()
  for (const key of ['k'.repeat(1e6) + '\u00e9', ' '.repeat(1e6), 'k '.repeat(5e5) + '\0'])
    t.throws(() => keyed({ key }), { code: 'CALL_INPUT_INVALID' })
  const { user, system } = process.cpuUsage(at)
  t.ok((user + system) / 1000 < 500, `${(user + system) / 1000} ms of CPU`)
  t.end()
})

test('a function that makes a key of something else is a mistake of the declaration', t => {
  for (const [made, type] of [
    [undefined, 'undefined'],
    [7, 'number'],
    [null, 'null'],
  ] as const) {
    const { ask } = defineUpstream(
      'cats',
      { origin: 'http://cats.example' },
      { ask: operation({ method: 'POST', path: '/', idempotencyKey: () => made as never, output: z.unknown() }) },
    )
    t.throws(() => ask(), {
      name: 'TypeError',
      message: `cats.ask: idempotencyKey must return a string, got ${type}`,
    })
  }
  t.end()
})
