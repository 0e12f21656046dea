import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError, type Problem } from '../../src/errors.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('refusing', { url: '/refusing', deadline: 10_000 })
const Any = z.unknown()
const runtime = answeringRuntime(path => path)

test('a refusal of a step is the answer to the caller, even of an optional one', async t => {
  for (const described of [
    base.required('a', (): number => refuse(404, 'There is no such cat.')).reply(Any, () => 1),
    base.optional('a', (): number => refuse(404, 'There is no such cat.'), { fallback: null }).reply(Any, () => 1),
    base
      .optional('a', async (): Promise<number> => refuse(404, 'There is no such cat.'), { fallback: null })
      .reply(Any, () => 1),
    base.each('a', () => refuse(404, 'There is no such cat.'), { minSuccess: 0, fallback: null }).reply(Any, () => 1),
    base.firstOf('a', () => refuse(404, 'There is no such cat.')).reply(Any, () => 1),
  ]) {
    const problem = await problemOf(fanOut(described, {}, { runtime }))
    t.match(problem, { code: 'REFUSED', statusCode: 404, detail: 'There is no such cat.' })
    t.match(problem.sources, { a: { state: 'failed', code: 'REFUSED' } })
  }
})

test('a refusal stops what is under way', async t => {
  const held = heldRuntime()
  const described = base
    .optional('slow', () => oracle.ask({ id: 'slow' }), { fallback: null })
    .required('check', () => oracle.ask({ id: 'check' }))
    .optional('judge', ({ check }) => (check === 'none' ? refuse(410, 'It has gone.') : 1), {
      fallback: null,
      needs: ['check'],
    })
    .reply(Any, () => 1)
  const { reply, run } = watched(described, { runtime: held })
  held.at('/check').answer('none')
  const problem = await problemOf(reply)
  t.match(problem, { code: 'REFUSED', statusCode: 410 })
  t.match(problem.sources, {
    slow: { state: 'cancelled' },
    check: { state: 'ok' },
    judge: { state: 'failed', code: 'REFUSED' },
  })
  t.ok(held.at('/slow').cut)
  t.equal(run.abort.size, 0)
})

test('a merge may refuse, at once or later', async t => {
  for (const merge of [() => refuse(403, 'Not for you.'), async () => refuse(403, 'Not for you.')]) {
    const problem = await problemOf(fanOut(base.required('a', () => 1).reply(Any, merge), {}, { runtime }))
    t.match(problem, { code: 'REFUSED', statusCode: 403, detail: 'Not for you.', sources: { a: { state: 'ok' } } })
  }
})

test('a bug in an optional step is a bug, and nothing of it reaches the caller', async t => {
  for (const bug of [
    new TypeError('the password is hunter2'),
    new Error('the password is hunter2'),
    'the password is hunter2',
    undefined,
  ]) {
    for (const step of [
      (): number => {
        throw bug
      },
      () => Promise.reject<number>(bug),
    ]) {
      const problem = await problemOf(
        fanOut(
          base.optional('a', step, { fallback: null }).reply(Any, () => 1),
          {},
          { runtime },
        ),
      )
      t.match(problem, { code: 'INTERNAL', statusCode: 500, title: 'Internal error' })
      t.equal(problem.cause, bug, 'the log has it')
      t.match(problem.sources, { a: { state: 'failed', code: 'INTERNAL' } })
      t.notMatch(JSON.stringify(problem), 'hunter2')
    }
  }
})

test('an upstream error thrown in a required step says which step and which upstream', async t => {
  const described = base
    .required('a', (): number => {
      throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 404 })
    })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime })), {
    code: 'UPSTREAM_STATUS',
    statusCode: 502,
    detail: "Step 'a': oracle answered with an unexpected status.",
  })
})

test("a call that the input cannot make is the caller's fault, and one that an upstream's answer cannot make is not", async t => {
  const alone = base.required('a', () => oracle.ask({ id: '' })).reply(Any, () => 1)
  t.match(await problemOf(fanOut(alone, {}, { runtime })), { code: 'CALL_INPUT_INVALID', statusCode: 400 })
  const after = base
    .required('a', () => '')
    .required('b', ({ a }) => oracle.ask({ id: a }), { needs: ['a'] })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(after, {}, { runtime })), {
    code: 'UPSTREAM_CALL_INPUT_INVALID',
    statusCode: 502,
    cause: { cause: { code: 'CALL_INPUT_INVALID' } },
  })
  const optional = base
    .required('a', () => '')
    .optional('b', ({ a }) => oracle.ask({ id: a }), { fallback: null, needs: ['a'] })
    .reply(Any, () => 1)
  t.match((await fanOut(optional, {}, { runtime })).sources, {
    b: { state: 'fallback', code: 'UPSTREAM_CALL_INPUT_INVALID' },
  })
})

test('the first failure decides: steps that wait are never asked, and the others are cancelled', async t => {
  let asked = false
  const held = heldRuntime()
  const described = base
    .required('slow', () => oracle.ask({ id: 'slow' }))
    .required('thinking', () => new Promise<number>(() => {}))
    .required('bad', () => oracle.ask({ id: 'bad' }))
    .required(
      'next',
      () => {
        asked = true
        return 1
      },
      { needs: ['bad'] },
    )
    .reply(Any, () => 1)
  const { reply } = watched(described, { runtime: held })
  held.at('/bad').fail(new UpstreamError('UPSTREAM_JSON', 'oracle'))
  held.at('/slow').fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_JSON' })
  t.match(problem.sources, {
    slow: { state: 'cancelled' },
    thinking: { state: 'cancelled' },
    bad: { state: 'failed' },
    next: { state: 'cancelled' },
  })
  t.equal(asked, false)
})

test('a step that fails at once keeps later ones from being asked', async t => {
  const described = base
    .required('bad', (): number => refuse(404, 'none'))
    .required('later', () => oracle.ask({ id: 'never' }))
    .reply(Any, () => 1)
  const strict = answeringRuntime(path => path)
  const problem = await problemOf(fanOut(described, {}, { runtime: strict }))
  t.strictSame(strict.asked, [])
  t.strictSame(problem.sources['later'], { state: 'cancelled', ms: 0, attempts: 0 })
})

/** Returns the error that a call of `refuse` throws. */
function thrown(...args: Parameters<typeof refuse>): unknown {
  try {
    return refuse(...args)
  } catch (error) {
    return error
  }
}

test('refuse throws a problem with the status, the texts, the faults and the headers of the author', async t => {
  for (const status of [400, 404, 499, 500, 503, 599]) {
    const problem = thrown(status, 'no such cat') as Problem
    t.match(problem, { name: 'Problem', code: 'REFUSED', statusCode: status, detail: 'no such cat', title: 'Refused' })
    t.equal(problem.retryAfterSeconds, status === 503 ? 1 : undefined)
  }
  const errors = [{ pointer: '/body/items/0', reason: 'is sold out', secret: 1 }]
  const problem = thrown(422, 'The order is invalid.', {
    type: 'https://shop.example/problems/order',
    title: 'Invalid order',
    code: 'ORDER_INVALID',
    errors,
    headers: { 'X-A': '1', 'set-cookie': ['a=1', 'b=2'] },
    retryAfterSeconds: 2.5,
  }) as Problem
  t.same(JSON.parse(JSON.stringify(problem)), {
    type: 'https://shop.example/problems/order',
    title: 'Invalid order',
    status: 422,
    detail: 'The order is invalid.',
    code: 'ORDER_INVALID',
    errors: [{ pointer: '/body/items/0', reason: 'is sold out' }],
  })
  t.match(problem, { code: 'REFUSED', authorCode: 'ORDER_INVALID', retryAfterSeconds: 3 })
  t.same(problem.headers, { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] })
  const faultOfAll = thrown(422, 'x', { errors: [{ pointer: '', reason: 'is wrong' }], type: 'about:blank' }) as Problem
  t.same([faultOfAll.faults, faultOfAll.type], [[{ pointer: '', reason: 'is wrong' }], 'about:blank'])
})

test('a wrong argument of refuse is a bug that is named', async t => {
  for (const status of [200, 302, 399, 600, 404.5, Number.NaN, Infinity])
    t.match(thrown(status, 'x'), { name: 'TypeError', message: `refuse(${status}) must have a status from 400 to 599` })
  for (const [options, message] of [
    [{ code: 'NOT_FOUND' }, "the code 'NOT_FOUND' is an error code of Headwaters: choose another code"],
    [{ code: 'orderInvalid' }, "code must have 2 to 64 upper-case letters, digits and underscores, such as 'ORDER"],
    [{ code: 7 }, "code must be a string such as 'ORDER_INVALID', got a number"],
    [{ type: 'order' }, "type must be an absolute URI such as 'https://shop.example/problems/order', got 'order'"],
    [{ type: 7 }, "type must be a string such as 'https://shop.example/problems/order', got a number"],
    [{ title: 7 }, "title must be a string such as 'Invalid order', got a number"],
    [{ errors: {} }, 'errors must be a list of { pointer, reason }, got an object'],
    [{ errors: [7] }, 'errors[0] must be an object such as'],
    [{ errors: [{ pointer: '/a' }] }, "errors[0].reason is missing: it must be a string such as 'is sold out'"],
    [{ errors: [{ reason: 'a' }] }, 'errors[0].pointer is missing'],
    [{ errors: [{ pointer: 'a', reason: 'b' }] }, "must be a JSON Pointer such as '/body/items/0', got 'a'"],
    [
      { errors: Array.from({ length: 101 }, () => ({ pointer: '', reason: 'a' })) },
      'errors must have at most 100 entries, got 101: send the first',
    ],
    [{ headers: { date: 'x' } }, "has the header 'date', which only the service sets: remove it"],
    [{ headers: { 'Retry-After': '1' } }, 'which the service sets here: use the option retryAfterSeconds'],
    [{ headers: { 'cache-control': 'x' } }, 'a problem is sent with no-store, so remove it'],
    [{ headers: { 'x-a': 'a\r\nb' } }, "has an invalid value of the header 'x-a'"],
    [{ headers: [] }, 'headers must be an object such as'],
    [{ retryAfterSeconds: -1 }, 'retryAfterSeconds must be a number from 0 to 2147483647, got -1'],
    [{ retryAfterSeconds: Number.NaN }, 'retryAfterSeconds must be a number from 0 to 2147483647, got NaN'],
    [{ retryAfterSeconds: '1' }, 'retryAfterSeconds must be a number from 0 to 2147483647, got 1'],
    [{ status: 404 }, "unknown option 'status': use type, title, code, errors, headers, retryAfterSeconds"],
  ] as const) {
    const error = thrown(422, 'x', options as never) as TypeError
    t.equal(error.name, 'TypeError')
    t.ok(error.message.startsWith('refuse(422)') && error.message.includes(message), error.message)
  }
  t.match(thrown(422, undefined as never), { name: 'TypeError', message: /^refuse\(422\): detail is missing/ })
  const described = base.optional('a', (): number => refuse(399, 'a secret'), { fallback: null }).reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime })), { code: 'INTERNAL', statusCode: 500, cause: TypeError })
})

test('a declared problem must match its schema, or the run fails with REPLY_INVALID', async t => {
  const Sold = z
    .strictObject({
      type: z.string(),
      title: z.string(),
      status: z.literal(422),
      detail: z.string(),
      code: z.enum(['SOLD_OUT', 'SOLD']),
      errors: z.array(z.object({ pointer: z.string(), reason: z.string() })).min(1),
    })
    .describe('Something is sold out.')
  const declared = aggregate('order', {
    url: '/order',
    query: z.object({ as: z.string() }),
    problems: {
      404: 'There is no such order.',
      422: Sold,
      409: z.any().refine(() => {
        throw new Error('of the schema')
      }),
    },
  }).reply(Any, ({ query }) =>
    query.as === 'missing'
      ? refuse(404, 'none')
      : query.as === 'throws'
        ? refuse(409, 'none')
        : query.as === 'undeclared'
          ? refuse(410, 'gone')
          : refuse(422, 'sold', { code: query.as, errors: [{ pointer: '/body', reason: 'is sold' }] }),
  )
  const ask = (as: string) => problemOf(fanOut(declared, { query: { as } }, { runtime }))
  t.match(await ask('SOLD_OUT'), { code: 'REFUSED', authorCode: 'SOLD_OUT', statusCode: 422 })
  t.match(await ask('missing'), { code: 'REFUSED', statusCode: 404 })
  t.match(await ask('undeclared'), { code: 'REFUSED', statusCode: 410 })
  for (const as of ['OTHER', 'throws'])
    t.match(await ask(as), {
      code: 'REPLY_INVALID',
      statusCode: 500,
      detail: /^The service refused the request with a problem that does not match the schema for 4\d\d\.$/,
      cause: { message: as === 'throws' ? 'of the schema' : /SOLD_OUT/ },
    })
})
