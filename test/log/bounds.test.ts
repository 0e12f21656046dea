import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { bounded } from '../../src/log/bounded.ts'
import { cut } from '../../src/log/cut.ts'
import { loggedError } from '../../src/log/logged-error.ts'
import { longestLine, shortLine } from '../../src/log/short-line.ts'
import { causeChain } from '../../src/log/cause-chain.ts'

const long = 'x'.repeat(1_000_000)
/** Its fields cannot be read. */
const hostile = () =>
  new Proxy(new Error('hidden'), {
    get(target, key) {
      if (key === 'constructor' || typeof key === 'symbol') return Reflect.get(target, key)
      throw new TypeError('read')
    },
  })

test('a text is cut at 500 characters and says how many are missing', async t => {
  t.equal(cut('x'.repeat(500)), 'x'.repeat(500))
  t.equal(cut('x'.repeat(510)), `${'x'.repeat(500)}[cut] (10 more)`)
})

test('the reason of a failure has a bound, whatever an upstream answers', async t => {
  const failures: readonly (readonly [what: string, schema: z.ZodType, value: unknown])[] = [
    [
      'many unknown keys',
      z.strictObject({}),
      Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key-${index}`, 1])),
    ],
    ['one unknown key of a million characters', z.strictObject({}), { [long]: 1 }],
    ['a wrong value below a key of a million characters', z.record(z.string(), z.number()), { [long]: 'a' }],
    ['ten thousand wrong values', z.array(z.number()), Array.from({ length: 10_000 }, () => 'a')],
    [
      'a message of the author with the value in it',
      z.string().refine(() => false, { error: ({ input }) => `not ${String(input)}` }),
      long,
    ],
  ]
  for (const [what, schema, value] of failures) {
    const { error } = schema.safeParse(value)
    const reason = causeChain(new UpstreamError('UPSTREAM_SCHEMA', 'upstream', { cause: error }))
    t.ok(reason !== undefined && reason.length > 10 && reason.length < 530, `${what}: ${reason?.length}`)
  }
  const deep = Array.from({ length: 100 }, () => 'key')
  t.match(
    causeChain(
      new Error('a', { cause: Object.assign(new Error('b'), { issues: [{ path: deep, message: 'wrong' }] }) }),
    ),
    /^key\.key.*\.\[cut\]: wrong$/,
  )
  t.ok((causeChain(new Error('a', { cause: new Error(long) })) as string).length < 530)
  t.ok((causeChain(new Error('a', { cause: Object.assign(new Error('b'), { code: long }) })) as string).length < 1100)
})

test('the reason is that of the deepest cause, and a circle of causes ends', async t => {
  t.equal(causeChain(new Error('a')), undefined)
  t.equal(causeChain(new Error('a', { cause: new Error('b', { cause: new Error('c') }) })), 'c')
  t.equal(causeChain(new Error('a', { cause: Object.assign(new Error('b'), { code: 'EB' }) })), 'EB: b')
  const circle = new Error('a')
  circle.cause = circle
  t.equal(causeChain(circle), 'a')
  t.equal(causeChain(new Error('a', { cause: hostile() })), 'an error whose fields cannot be read')
})

test('an error is logged with its class, message, stack, fields and causes, each within bounds', async t => {
  const error = Object.assign(new TypeError('outer', { cause: new RangeError('inner') }), {
    code: 'E',
    body: long,
    list: Array.from({ length: 1000 }, () => 1),
  })
  const { list, ...fields } = loggedError(error) as { readonly list: unknown[] }
  t.match(fields, {
    type: 'TypeError',
    message: 'outer: inner',
    code: 'E',
    body: /^x{500}\[cut\]/,
    stack: /TypeError: outer\n[^]*\ncaused by: RangeError: inner\n/,
  })
  t.notOk('cause' in fields)
  t.equal(list.length, 101)
  t.match(loggedError(new AggregateError([new Error('one'), 'two'], 'many')), { errors: ['one', 'two'] })
  t.match(loggedError(Object.assign(new Error('own'), { errors: [1] })), { errors: [1] })
  t.ok(JSON.stringify(loggedError(new Error(long, { cause: new Error(long) }))).length < 5000)
  t.match(loggedError(Object.assign(Object.create(Error.prototype), { message: 'no stack' })), { stack: 'no stack' })
})

test('a thrown value of any type is logged', async t => {
  for (const thrown of [
    undefined,
    null,
    1,
    10n,
    'text',
    Symbol('a'),
    () => {},
    [],
    { a: 1 },
    new Date(Number.NaN),
    new Uint8Array(9),
    hostile(),
  ])
    t.doesNotThrow(() => JSON.stringify(loggedError(thrown)))
  t.same(
    loggedError({
      get a() {
        throw new Error('read')
      },
      b: 1,
    }),
    { a: '[unreadable]', b: 1 },
  )
  t.match(loggedError(hostile()), { message: 'an error whose fields cannot be read' })
})

test('a value has a bound on its depth, its entries and all of its values', async t => {
  let deep: unknown = 1
  for (let depth = 0; depth < 10_000; depth++) deep = { deep }
  const circle: Record<string, unknown> = {}
  circle['circle'] = circle
  const wide = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`key-${index}`, { a: long, b: [long] }]),
  )
  for (const each of [deep, circle, wide, Array.from({ length: 10_000 }, () => wide)])
    t.ok(JSON.stringify(bounded(each)).length < 600_000)
  t.same(bounded(new Uint8Array(9)), '[9 bytes]')
  const date = new Date(0)
  t.equal(bounded(date), date)
  t.equal(bounded(new Date(Number.NaN)), 'Invalid Date')
  t.same(bounded([() => {}, 5n]), [undefined, '5'])
  t.equal(
    bounded(
      new Proxy([], {
        get: () => {
          throw new Error('read')
        },
      }),
    ),
    '[unreadable]',
  )
  const parsed = bounded(JSON.parse('{"__proto__":{"a":1}}')) as object
  t.equal(Object.getPrototypeOf(parsed), Object.prototype)
})

test('a line that is too long keeps its fields and loses their ends, or keeps what says whose it is', async t => {
  const line = (fields: object) =>
    `${JSON.stringify({ level: 30, time: 1, pid: 2, reqId: 'id', ...fields, msg: 'said' })}\n`
  t.equal(shortLine(line({ a: 'x' })), line({ a: 'x' }))
  t.match(JSON.parse(shortLine(line({ a: long, b: 1 }))), { level: 30, a: /\[cut\]/, b: 1, msg: 'said' })
  const many = shortLine(
    line(Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`key-${index}`, long.slice(0, 1000)]))),
  )
  t.ok(many.length < longestLine)
  t.match(JSON.parse(many), { level: 30, time: 1, pid: 2, reqId: 'id', msg: 'said', cut: /^a line of \d+ characters$/ })
  t.match(JSON.parse(shortLine(long)), { level: 50, length: long.length })
})
