import { test } from 'tap'
import { z } from 'zod'
import { Problem } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { checkRoute } from '../../src/fanout/check-route.ts'
import { readInput, type RawInput } from '../../src/fanout/input.ts'
import type { Schema } from '../../src/fanout/inference.ts'
import { deepFreeze } from '../../src/core/freeze.ts'
import { serveApp } from '../helpers/served-app.ts'

interface Schemas {
  readonly params?: Schema
  readonly query?: Schema
  readonly body?: Schema
  readonly headers?: Schema
}

function read(schemas: Schemas, raw: RawInput) {
  return readInput(checkRoute('asked', { url: '/asked', ...schemas }), raw)
}

/** The problem that an input is refused with. */
function refusal(schemas: Schemas, raw: RawInput): Problem {
  try {
    read(schemas, raw)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('the input was taken')
}

const pointers = (schemas: Schemas, raw: RawInput) => refusal(schemas, raw).faults?.map(({ pointer }) => pointer)

/** The least CPU time of five times, since other processes of the machine add to it, in ms. */
const leastCpuMs = (work: () => unknown) =>
  Math.min(
    ...Array.from({ length: 5 }, () => {
      const before = process.threadCpuUsage()
      work()
      const { user, system } = process.threadCpuUsage(before)
      return (user + system) / 1000
    }),
  )

test('each part is read by its schema', t => {
  const schemas = {
    params: z.object({ id: z.string() }),
    query: z.object({ count: z.coerce.number().default(3) }),
    body: z.object({ when: z.string().transform(text => text.length) }),
    headers: z.object({ 'accept-language': z.string() }),
  }
  t.strictSame(
    read(schemas, {
      params: { id: 'x' },
      query: { unknown: 1 },
      body: { when: 'now' },
      headers: { 'accept-language': 'en', authorization: 'secret' },
    }),
    {
      params: { id: 'x' },
      query: { count: 3 },
      body: { when: 3 },
      headers: { 'accept-language': 'en' },
    },
    'and what no schema names is not seen',
  )
  t.end()
})

test('a part without a schema is empty, whatever came', t => {
  t.strictSame(read({}, { params: { a: 1 }, query: { b: 1 }, body: 'text', headers: { c: 'd' } }), {
    params: {},
    query: {},
    body: {},
    headers: {},
  })
  t.end()
})

test('a missing part is read as empty, and a missing body is a fault', t => {
  const optional = z.object({ a: z.string().optional() })
  t.strictSame(read({ params: optional, query: optional, headers: optional }, {}), {
    params: {},
    query: {},
    body: {},
    headers: {},
  })
  t.strictSame(pointers({ body: optional }, {}), ['/body'])
  t.strictSame(read({ body: optional.optional() }, {}).body, undefined)
  t.end()
})

test('a body is returned itself if its schema changes nothing, and otherwise copied', t => {
  const schemas = { body: z.object({ a: z.string().min(1), list: z.array(z.object({ n: z.number().max(5) })) }) }
  const body = { a: 'x', list: [{ n: 1 }, { n: 2 }] }
  t.equal(read(schemas, { body }).body, body)
  const more = { ...body, secret: 'y' }
  t.strictSame(read(schemas, { body: more }).body, body)
  t.equal(more.secret, 'y', 'the body that was received is unchanged')
  t.strictSame(pointers(schemas, { body: { a: '', list: [{ n: 6 }] } }), ['/body/a', '/body/list/0/n'])
  t.end()
})

test('a query is a new plain object, whatever object the server has made', t => {
  const query = Object.assign(Object.create(null) as object, { q: 'x', n: '7', other: '1' })
  const schemas = { query: z.object({ n: z.coerce.number().int().max(9), q: z.string().optional() }) }
  const { query: own } = read(schemas, { query })
  t.strictSame(own, { n: 7, q: 'x' })
  t.equal(Object.getPrototypeOf(own), Object.prototype)
  t.strictSame(Object.keys(own as object), ['n', 'q'], 'in the order of the schema')
  t.end()
})

test('a body of null is what its schema says of null', t => {
  t.equal(read({ body: z.object({ a: z.string() }).nullable() }, { body: null }).body, null)
  t.end()
})

test('one problem lists all faults of all parts of the input, each with its pointer and reason', t => {
  const schemas = {
    params: z.object({ id: z.string().max(2) }),
    query: z.object({ count: z.coerce.number().max(10), tags: z.array(z.string()) }),
    body: z.object({ list: z.array(z.object({ name: z.string() })) }),
    headers: z.object({ 'x-kind': z.enum(['a', 'b']) }),
  }
  const problem = refusal(schemas, {
    params: { id: 'long' },
    query: { count: '11', tags: ['a', 1] },
    body: { list: [{ name: 'x' }, { name: 3 }, {}] },
    headers: { 'x-kind': 'c' },
  })
  t.match(problem, {
    code: 'INPUT_INVALID',
    statusCode: 400,
    detail: '6 parts of the input cannot be read: see errors.',
  })
  t.strictSame(
    problem.faults?.map(({ pointer }) => pointer),
    ['/params/id', '/query/count', '/query/tags/1', '/body/list/1/name', '/body/list/2/name', '/headers/x-kind'],
  )
  t.ok(problem.faults?.every(({ reason }) => reason.length > 5))
  t.match(problem.toJSON(), { status: 400, errors: [{ pointer: '/params/id', reason: String }] })
  t.end()
})

test('the message about a single fault is in the singular', t => {
  t.equal(
    refusal({ query: z.object({ a: z.string() }) }, {}).detail,
    'One part of the input cannot be read: see errors.',
  )
  t.end()
})

test('a pointer escapes what stands between its parts', t => {
  const schema = z.object({ 'a/b': z.object({ 'm~n': z.string(), '~1': z.string(), '': z.string() }) })
  t.strictSame(pointers({ body: schema }, { body: { 'a/b': {} } }), [
    '/body/a~1b/m~0n',
    '/body/a~1b/~01',
    '/body/a~1b/',
  ])
  t.end()
})

test('a fault of a whole part points at the part', t => {
  t.strictSame(pointers({ body: z.array(z.string()) }, { body: { a: 1 } }), ['/body'])
  t.strictSame(pointers({ query: z.strictObject({}) }, { query: { a: '1' } }), ['/query'])
  t.end()
})

const numeric: Readonly<Record<string, z.ZodType>> = {
  'a number': z.coerce.number(),
  'a bigint': z.coerce.bigint(),
  'an optional one': z.coerce.number().optional(),
  'one with a default': z.coerce.number().default(3),
  'a nullable one': z.coerce.number().nullable(),
  'one with checks': z.coerce.number().int().min(0).max(5),
  'one that is transformed': z.coerce.number().transform(value => value + 1),
  'one in a pipe': z.coerce.number().pipe(z.number().min(0)),
  'one in all of them': z.coerce.number().min(0).optional().default(1).nullable().readonly(),
}

test('an empty or blank value is not a number', t => {
  for (const [what, count] of Object.entries(numeric)) {
    for (const blank of ['', ' ', '\t \n']) {
      t.strictSame(
        pointers({ query: z.object({ count }) }, { query: { count: blank } }),
        ['/query/count'],
        `${what}: ${JSON.stringify(blank)}`,
      )
    }
    t.doesNotThrow(() => read({ query: z.object({ count }) }, { query: { count: '0' } }), `${what}: 0 is one`)
  }
  t.strictSame(pointers({ params: z.object({ page: z.coerce.number() }) }, { params: { page: '' } }), ['/params/page'])
  t.end()
})

test('a text that is not a date is refused with an example of a date', t => {
  for (const since of ['', 'yesterday', '5', '2023-02-29']) {
    t.strictSame(refusal({ query: z.object({ since: z.coerce.date() }) }, { query: { since } }).faults, [
      { pointer: '/query/since', reason: 'must be a date, for example 2024-05-01 or 2024-05-01T10:00:00Z' },
    ])
  }
  t.strictSame(refusal({ query: z.object({ since: z.coerce.date('since when?') }) }, { query: { since: '' } }).faults, [
    { pointer: '/query/since', reason: 'since when?' },
  ])
  t.end()
})

test('an empty value is not a number in a list of numbers either', t => {
  const schema = z.object({ ids: z.array(z.coerce.number()) })
  t.strictSame(pointers({ query: schema }, { query: { ids: ['1', ''] } }), ['/query/ids/1'])
  t.end()
})

test('an empty header is not a number either', t => {
  t.strictSame(pointers({ headers: z.object({ 'x-count': z.coerce.number() }) }, { headers: { 'x-count': ' ' } }), [
    '/headers/x-count',
  ])
  t.end()
})

test('an empty value of another kind stays what it is', t => {
  const schema = z.object({ text: z.string(), other: z.string(), count: z.coerce.number() })
  t.strictSame(read({ query: schema }, { query: { text: '', other: ' ', count: '2' } }).query, {
    text: '',
    other: ' ',
    count: 2,
  })
  t.strictSame(read({ body: z.object({ count: z.coerce.number() }) }, { body: { count: 0 } }).body, { count: 0 })
  t.end()
})

test('schemas around an object, and schemas that are not objects, are read too', t => {
  const inner = z.object({ count: z.coerce.number() })
  for (const query of [
    inner.refine(() => true),
    inner.transform(value => value),
    inner.pipe(z.object({ count: z.number() })),
    inner.optional(),
    inner.readonly(),
  ]) {
    t.strictSame(pointers({ query }, { query: { count: '' } }), ['/query/count'])
    t.strictSame(read({ query }, { query: { count: '4' } }).query, { count: 4 })
  }
  t.strictSame(read({ query: z.record(z.string(), z.string()) }, { query: { a: '' } }).query, { a: '' })
  t.strictSame(read({ query: z.any() }, { query: { a: '1' } }).query, { a: '1' })
  t.end()
})

test('the input a caller gave is not changed', t => {
  const query = Object.freeze({ count: '', other: 'x' })
  t.strictSame(pointers({ query: z.object({ count: z.coerce.number() }) }, { query }), ['/query/count'])
  t.strictSame(query, { count: '', other: 'x' })
  t.end()
})

test('over HTTP, the rules of a query hold behind any wrapper', async t => {
  const numbers = z.preprocess(value => value, z.coerce.number())
  const asked = (name: string, schema: z.ZodType) =>
    aggregate(name, { url: `/${name}`, query: z.object({ a: schema }) }).reply(z.unknown(), ({ query }) => query)
  const { get } = await serveApp(t, {
    aggregates: [
      asked('size', z.union([numbers, z.coerce.number().max(5)])),
      asked('ids', z.union([z.array(z.string()).max(2), z.never()]).optional()),
      asked('flag', z.stringbool().default(true)),
      asked('both', z.intersection(z.coerce.number(), z.coerce.number())),
    ],
  })
  for (const query of ['a=', 'a=%20', 'a=%205', 'a=0x10', 'a=1&a=2', '']) {
    for (const name of ['size', 'both'])
      t.match(
        await get(`/${name}?${query}`),
        { status: 400, body: { code: 'INPUT_INVALID', errors: [{ pointer: '/query/a' }] } },
        `${name}?${query}`,
      )
  }
  for (const name of ['size', 'both'])
    t.match(await get(`/${name}?a=1e3`), { status: 200, body: { data: { a: 1000 } } })
  t.match(await get('/ids?a=x'), { status: 200, body: { data: { a: ['x'] } } })
  t.match(await get('/ids?a=x&a=y'), { status: 200, body: { data: { a: ['x', 'y'] } } })
  t.match(await get('/ids'), { status: 200, body: { data: {} } })
  t.match(await get('/flag?a=false'), { status: 200, body: { data: { a: false } } })
  t.match(await get('/flag?a='), { status: 400 })
})

test('an integer that a number cannot hold is refused, and a bigint takes it', t => {
  const schema = { query: z.object({ id: z.coerce.number() }) }
  t.strictSame(refusal(schema, { query: { id: '9007199254740993' } }).faults, [
    { pointer: '/query/id', reason: 'is an integer that a double cannot hold exactly' },
  ])
  t.strictSame(read({ query: z.object({ id: z.coerce.bigint() }) }, { query: { id: '9007199254740993' } }).query, {
    id: 9007199254740993n,
  })
  t.strictSame(refusal(schema, {}).faults, [{ pointer: '/query/id', reason: 'is missing' }])
  t.end()
})

test('a body that is nested deeper than 64 is refused where its schema lets anything through', t => {
  const nested = (depth: number, end: unknown) => Array.from({ length: depth }).reduce<unknown>(inner => [inner], end)
  const open = {
    object: z.object({ x: z.unknown() }),
    both: z.looseObject({}).and(z.looseObject({})),
    json: z.json(),
    lazy: z.looseObject({ x: z.lazy(() => z.unknown()) }),
  }
  for (const [name, body] of Object.entries(open)) {
    t.strictSame(read({ body }, { body: { x: nested(60, 1) } }).body, { x: nested(60, 1) }, name)
    for (const depth of [70, 100_000])
      t.strictSame(
        refusal({ body }, { body: { x: nested(depth, 9_007_199_254_740_994n) } }).faults,
        [{ pointer: '/body', reason: 'is nested deeper than 64' }],
        name,
      )
  }
  t.strictSame(
    read({ body: z.object({ a: z.string() }) }, { body: { a: 'a', x: nested(100_000, 1) } }).body,
    { a: 'a' },
    'and what a schema drops may be',
  )
  t.strictSame(pointers({ body: z.object({ a: z.coerce.number() }) }, { body: { a: nested(100_000, 1) } }), ['/body/a'])
  t.end()
})

test('a schema that freezes the headers as they came reads them like any other', t => {
  const object = z.object({ 'X-A': z.string() })
  const frozen: readonly z.ZodType[] = [
    z.any().readonly(),
    z.lazy(() => z.any()).readonly(),
    z.union([z.unknown(), object]).readonly(),
    z.any().and(z.any()).readonly(),
    z.any().pipe(z.any()).readonly(),
    z
      .unknown()
      .transform(given => given)
      .readonly(),
    z.preprocess(given => given, z.unknown().readonly()),
    z.custom().optional().readonly(),
  ]
  for (const headers of frozen)
    t.strictSame(
      read({ headers }, { headers: { 'x-a': 'a' } }).headers,
      { [headers === frozen[2] ? 'X-A' : 'x-a']: 'a' },
      headers.def.type,
    )
  const Self: z.ZodType = z.lazy(() => z.union([object, Self]))
  t.strictSame(read({ headers: Self.readonly() }, { headers: { 'x-a': 'a' } }).headers, { 'X-A': 'a' })
  t.end()
})

test('steps receive plain objects, whatever a headers schema returns', t => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  const object = { all: { 'x-a': 'a' } }
  for (const [headers, value] of [
    [z.preprocess(all => ({ all }), z.object({ all: z.any() })), object],
    [z.any().transform(all => [[1, all]]), [[1, { 'x-a': 'a' }]]],
    [z.any().transform(all => Object.freeze({ all })), object],
    [z.any().transform(() => circle), circle],
    [z.any().transform(() => new Date(0)), new Date(0)],
  ] as const) {
    const seen = read({ headers }, { headers: { 'x-a': 'a' } }).headers
    t.strictSame(seen, value)
    t.doesNotThrow(() => deepFreeze(seen))
  }
  t.end()
})

test('a body of more than 10,000 values is refused with its first fault, in little time', t => {
  const Item = z.object({ a: z.string() })
  const values = <T>(item: T) => Array.from({ length: 99_990 }, () => item)
  const bodies: readonly (readonly [what: string, body: z.ZodType, value: unknown, pointer: string])[] = [
    ['a list of numbers for texts', z.array(z.string()), values(1), '/body/0'],
    ['a list with a bound', z.array(Item).min(1).max(1_000_000), values(1), '/body/0'],
    [
      'a list in an object',
      z.object({ list: z.array(Item).optional() }),
      { list: [{ a: 'a' }, ...values(1)] },
      '/body/list/1',
    ],
    [
      'a record',
      z.record(z.string(), z.string()),
      Object.fromEntries(values(1).map((value, index) => [`key${index}`, value])),
      '/body/key0',
    ],
    [
      'a list of a record',
      z.array(z.record(z.string(), z.string())),
      [Object.fromEntries(values(1).map((value, index) => [`key${index}`, value]))],
      '/body/0/key0',
    ],
    [
      'unknown fields with a schema',
      z.object({}).catchall(z.string()),
      Object.fromEntries(values(1).map((value, index) => [`key${index}`, value])),
      '/body/key0',
    ],
  ]
  for (const [what, body, value, pointer] of bodies) {
    const least = leastCpuMs(() => t.same(pointers({ body }, { body: value }), [pointer]))
    t.ok(least < 150, `${what}: ${least.toFixed(0)} ms of CPU time`)
  }
  t.end()
})

test('reading a body of very many fields takes at most four times as long as parsing it', t => {
  const text = `{${Array.from({ length: 90_000 }, (_, index) => `"name${(index * 7919) % 90_000}":${index}`).join()}}`
  const fields = JSON.parse(text) as Readonly<Record<string, number>>
  const parsing = leastCpuMs(() => JSON.parse(text))
  for (const [what, body] of [
    ['a record', z.record(z.string(), z.number())],
    ['an object of unknown fields', z.object({ id: z.string().optional() }).catchall(z.number())],
    ['a union', z.union([z.record(z.string(), z.string()), z.record(z.string(), z.number())])],
  ] as const) {
    const reading = leastCpuMs(() => readInput(checkRoute('asked', { url: '/asked', body }), { body: fields }))
    t.ok(reading < 4 * parsing, `${what}: ${reading.toFixed(0)} ms of CPU time, and ${parsing.toFixed(0)} to parse it`)
  }
  t.end()
})

test('a body of more than 10,000 values that its schema takes is read like any other', t => {
  const body = { list: Array.from({ length: 20_000 }, (_, index) => ({ a: String(index), secret: 1 })), big: 2n ** 60n }
  const read = readInput(
    checkRoute('asked', {
      url: '/asked',
      body: z.object({ list: z.array(z.object({ a: z.string() })), big: z.bigint() }),
    }),
    { body },
  )
  t.strictSame(read.body, { list: body.list.map(({ a }) => ({ a })), big: 2n ** 60n })
  t.same(
    pointers({ body: z.array(z.string()) }, { body: Array.from({ length: 10_000 }, () => 1) })?.length,
    100,
    'a smaller one has a list of faults',
  )
  t.end()
})

test('faults below a long name are reported up to 64 Ki characters', async t => {
  const body = z.record(z.string(), z.array(z.string()))
  const name = 'n'.repeat(100_000)
  t.same(pointers({ body }, { body: { [name]: Array(50).fill(1) } }), [`/body/${name}/0`])
})
