import { test } from 'tap'
import { z } from 'zod'
import { aggregate, chain, refuse, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('chained', { url: '/chained', deadline: 20_000 })
const echoing = () => answeringRuntime(path => path)
const tolerant = { minSuccess: 0, fallback: null } as const
/** Makes a chain of functions that the types refuse. */
const loosely = (...given: readonly unknown[]) => Reflect.apply(chain, undefined, given) as never

const { get } = defineUpstream(
  'picky',
  { origin: 'http://picky.test' },
  { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any }) },
)
const asking = (last: string) => () =>
  ['a', last].map(id => chain(oracle.ask({ id: `first-${id}` }), () => get({ id })))

test('an input that an operation refuses within a chain fails its item only, and is reported as lost', async t => {
  const described = base.each('all', asking('..'), tolerant).reply(Any, ({ all }) => all)
  const { reply, run } = watched(described, { runtime: echoing() })
  const { data, sources } = await reply
  t.strictSame(data, ['/a', null])
  t.match(sources['all'], {
    state: 'partial',
    calls: 2,
    ok: 1,
    failed: [{ index: 1, code: 'UPSTREAM_CALL_INPUT_INVALID' }],
  })
  t.match(run.lost, [{ step: 0, operation: 'picky.get', error: { code: 'UPSTREAM_CALL_INPUT_INVALID' } }])
})

test('an input that an operation refuses within a chain is a bad gateway without minSuccess', async t => {
  const described = base.each('all', asking('..')).reply(Any, ({ all }) => all)
  t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), {
    code: 'UPSTREAM_CALL_INPUT_INVALID',
    statusCode: 502,
  })
})

test('refuse in a function of a chain ends the run', async t => {
  const described = base
    .each('all', () => [chain(oracle.ask({ id: 'a' }), () => refuse(404, 'No such city.'))], tolerant)
    .reply(Any, ({ all }) => all)
  t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), { code: 'REFUSED', statusCode: 404 })
})

const thrown = new RangeError('too far')
const throwing = () => {
  throw thrown
}
for (const [fault, link] of [
  ['throws', throwing],
  ['rejects', () => Promise.reject(thrown)],
  ['returns a value without readable fields', () => new Proxy({}, { get: throwing })],
  ['returns a value without a readable class', () => new Proxy({}, { getPrototypeOf: throwing })],
] as const)
  test(`a function of a chain that ${fault} is an internal error even if losses are tolerated`, async t => {
    const described = base
      .each('all', () => [loosely(oracle.ask({ id: 'a' }), link)], tolerant)
      .reply(Any, ({ all }) => all)
    t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), { code: 'INTERNAL', cause: thrown })
  })

test('a value of a chain that cannot be frozen is an internal error where the list is frozen', async t => {
  const described = base
    .each(
      'all',
      () => [chain(oracle.ask({ id: 'a' }), () => new Proxy({}, { preventExtensions: () => false }))],
      tolerant,
    )
    .reply(Any, ({ all }) => all)
  t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), { code: 'INTERNAL', cause: TypeError })
})

test('a function of a chain that returns skip, a chain or several calls is an internal error that names the fix', async t => {
  for (const [wrong, found] of [
    [skip, 'skip'],
    [chain(oracle.ask({ id: 'x' }), () => 1), 'a chain'],
    [[oracle.ask({ id: 'x' }), oracle.ask({ id: 'y' })], 'several calls'],
  ] as const) {
    const described = base
      .each(
        'all',
        () => [
          loosely(
            oracle.ask({ id: 'a' }),
            () => 1,
            () => wrong,
          ),
        ],
        tolerant,
      )
      .reply(Any, ({ all }) => all)
    t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), {
      code: 'INTERNAL',
      cause: { message: `step 'all': function 2 of a chain returned ${found}: return one call or a value` },
    })
  }
})

test('a chain outside the list of an each is an internal error that names the fix', async t => {
  const one = (): unknown => chain(oracle.ask({ id: 'a' }), () => 1)
  for (const [described, message] of [
    [base.required('a', one).reply(Any, () => 1), "step 'a' returned a chain: use each, and return a list"],
    [base.context(one).reply(Any, () => 1), 'context() returned a chain: use each, and return a list'],
    [base.required('a', (): unknown => [one()]).reply(Any, () => 1), /^step 'a' returned several calls: use each/],
    [
      base.firstOf('a', () => [one()] as never).reply(Any, () => 1),
      "step 'a' is a firstOf and returned a chain: return calls, or use each",
    ],
    [base.each('a', one as never).reply(Any, () => 1), "step 'a' must return a list of calls"],
  ] as const)
    t.match(await problemOf(fanOut(described, {}, { runtime: echoing() })), { code: 'INTERNAL', cause: { message } })
})

test('chain refuses arguments that are not a call and functions', t => {
  const call = oracle.ask({ id: 'a' })
  t.throws(() => loosely('a', () => 1), { name: 'TypeError', message: /^chain needs a call as its first argument: / })
  t.throws(() => loosely(call), {
    name: 'TypeError',
    message: /^chain needs a function after the call of oracle\.ask: /,
  })
  t.throws(() => loosely(call, () => 1, call), { name: 'TypeError', message: /argument 3 is not a function: / })
  t.end()
})

/** Three items: the first waits for a promise, the second for its first call, the third for its second call. */
function waiting(options: { readonly timeout?: number } = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const invoked: number[] = []
  const runtime = heldRuntime()
  const note = <T>(item: number, returned: T): T => {
    invoked.push(item)
    return returned
  }
  const described = base
    .each(
      'all',
      () => [
        chain(
          oracle.ask({ id: '0' }),
          () => note(0, promise),
          () => note(0, 'too late'),
        ),
        chain(oracle.ask({ id: '1' }), () => note(1, 'too late')),
        chain(
          oracle.ask({ id: '2' }),
          () => note(2, oracle.ask({ id: '2.1' })),
          () => note(2, 'too late'),
        ),
      ],
      { ...tolerant, ...options },
    )
    .reply(Any, ({ all }) => all)
  const started = (runOptions: object = {}) => {
    const run = watched(described, { runtime, ...runOptions })
    for (const path of ['/0', '/2']) runtime.at(path).answer()
    return run
  }
  return { runtime, invoked, resolve, reject, started }
}

for (const [limit, code, options, runOptions] of [
  ['timeout of its step', 'STEP_TIMEOUT', { timeout: 30 }, {}],
  ['deadline', 'DEADLINE_EXCEEDED', {}, { deadline: 30 }],
] as const)
  test(`no function of a chain is invoked after the ${limit}, and the items in progress have failed`, async t => {
    const { runtime, invoked, resolve, started } = waiting(options)
    const { reply, run } = started(runOptions)
    const { data, sources } = await reply
    t.strictSame(data, [null, null, null])
    t.match(sources['all'], { state: 'partial', failed: times(3, index => ({ index, code })) })
    resolve('late')
    await turn()
    t.strictSame(invoked, [0, 2])
    t.equal(runtime.calls.length, 4)
    t.equal(run.abort.size, 0)
  })

for (const ending of ['resolves', 'rejects'] as const)
  test(`a cancelled run reports a list of chains as cancelled, and ignores a promise that ${ending} later`, async t => {
    const { invoked, resolve, reject, started } = waiting()
    const { reply, run, events } = started()
    await turn()
    run.cancel(new Error('gone'))
    t.equal(run.abort.size, 0)
    if (ending === 'resolves') resolve('late')
    else reject(new Error('late'))
    await t.rejects(reply, { message: 'gone' })
    await turn()
    t.strictSame(invoked, [0, 2])
    t.match(events.at(-2), { type: 'step ended', state: 'cancelled' })
    t.match(events.at(-1), { type: 'run ended', code: 'CANCELLED' })
  })

for (const kind of ['a value', 'a call', 'a promise', 'a promise that never settles'] as const)
  test(`a function of a chain may cause the end of the run and return ${kind}`, async t => {
    const runtime = heldRuntime()
    const cancelling = () => {
      run.cancel(new Error('gone'))
      if (kind === 'a promise that never settles') return new Promise(() => {})
      return kind === 'a value' ? 1 : kind === 'a call' ? oracle.ask({ id: 'late' }) : Promise.resolve(1)
    }
    const described = base
      .each('all', () => [loosely(oracle.ask({ id: 'a' }), cancelling, () => t.fail('it is invoked'))], tolerant)
      .reply(Any, ({ all }) => all)
    const { reply, run, events } = watched(described, { runtime })
    runtime.at('/a').answer()
    await t.rejects(reply, { message: 'gone' })
    await turn()
    t.equal(runtime.calls.length, 1)
    t.equal(run.abort.size, 0)
    t.match(events.at(-2), { type: 'step ended', state: 'cancelled' })
  })

test('an unsafe call of a chain that outlives the timeout of its step ends its item without its further functions', async t => {
  const runtime = heldRuntime({ deaf: path => path.startsWith('/post') })
  const { promise, reject } = Promise.withResolvers<never>()
  const described = base
    .each(
      'all',
      () => [
        chain(oracle.tell({ id: 'post' }), () => t.fail('it is invoked')),
        chain(oracle.ask({ id: 'a' }), () => oracle.tell({ id: 'post-last' })),
        oracle.ask({ id: 'cut' }),
        chain(oracle.ask({ id: 'b' }), () => promise),
      ],
      { ...tolerant, timeout: 30 },
    )
    .reply(Any, ({ all }) => all)
  const { reply, run } = watched(described, { runtime })
  for (const path of ['/a', '/b']) runtime.at(path).answer()
  await runtime.arrived('/post-last')
  await until(() => runtime.at('/cut').cut !== undefined)
  reject(new Error('late'))
  await turn()
  runtime.at('/post').answer('posted')
  runtime.at('/post-last').answer('posted last')
  const { data, sources } = await reply
  t.strictSame(data, [null, 'posted last', null, null])
  const failed = [0, 2, 3].map(index => ({ index, code: 'STEP_TIMEOUT' }))
  t.match(sources['all'], { state: 'partial', ok: 1, failed })
  t.equal(run.abort.size, 0)
})
