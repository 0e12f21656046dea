import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../../src/errors.ts'
import { Abort } from '../../../src/core/abort.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { keyOf } from '../../../src/upstream/transport/dispatch.ts'
import { coalesce } from '../../../src/upstream/policies/coalesce.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { heldService } from '../../helpers/held-service.ts'
import { questions } from '../../helpers/questions.ts'

function arrange() {
  const bottom = heldService()
  const service = coalesce({ keyOf })(bottom.service)
  const asking = (id: string, abort = new Abort()) => service(testRun().ask(questions.shared({ id }), { abort }))
  return { ...bottom, bottom, service, asking }
}

test('1000 equal calls at once are one call to the upstream, and all get its answer', async t => {
  const { bottom, asking } = arrange()
  const asked = Array.from({ length: 1000 }, () => asking('one'))
  t.equal(bottom.taken, 1)
  bottom.held[0]?.answer({ fact: 'cats sleep' })
  const answers = await Promise.all(asked)
  t.equal(new Set(answers).size, 1)
  t.same(answers[999], { value: { fact: 'cats sleep' }, status: 200 })
})

test('different calls are not shared, and each gets its own answer', async t => {
  const { bottom, asking } = arrange()
  const asked = [asking('one'), asking('two')]
  t.equal(bottom.taken, 2)
  for (const { call, answer } of bottom.held.slice()) answer(call.path)
  t.same(
    (await Promise.all(asked)).map(({ value }) => value),
    ['/shared/one', '/shared/two'],
  )
})

test('an operation that does not say coalesce is asked each time, and its answer is not frozen', async t => {
  const { bottom, service } = arrange()
  const asked = [service(testRun().ask(questions.ask())), service(testRun().ask(questions.ask()))]
  t.equal(bottom.taken, 2)
  for (const { answer } of bottom.held.slice()) answer({ fact: 'each its own' })
  for (const { value } of await Promise.all(asked)) t.notOk(Object.isFrozen(value))
})

test('the first caller leaves and the others still get the answer', async t => {
  const { bottom, asking } = arrange()
  const gone = new Abort()
  const first = failure(asking('one', gone))
  const others = [asking('one'), asking('one')]
  gone.abort('gone')
  t.equal(await first, 'gone')
  t.equal(bottom.held[0]?.call.abort.aborted, false)
  bottom.held[0]?.answer('well')
  t.same(
    (await Promise.all(others)).map(({ value }) => value),
    ['well', 'well'],
  )
  t.equal(bottom.taken, 1)
})

test('the last caller to leave ends the flight, and a call after that starts a new one', async t => {
  const { bottom, asking } = arrange()
  const aborts = [new Abort(), new Abort()]
  const asked = aborts.map(abort => failure(asking('one', abort)))
  const flight = bottom.held[0]
  aborts[0]?.abort('first')
  t.equal(flight?.call.abort.aborted, false)
  aborts[1]?.abort('second')
  t.match(flight?.call.abort, { aborted: true, reason: 'second' })
  const second = asking('one')
  t.equal(bottom.taken, 2)
  t.same(await Promise.all(asked), ['first', 'second'])
  const joined = asking('one')
  t.equal(bottom.taken, 2, 'the end of the old flight does not take the new one along')
  bottom.held[0]?.answer('new')
  t.same(
    (await Promise.all([second, joined])).map(({ value }) => value),
    ['new', 'new'],
  )
})

test('a failing flight fails all its callers alike, and the next call starts a new flight', async t => {
  const { bottom, asking } = arrange()
  const asked = [failure(asking('one')), failure(asking('one'))]
  const error = new UpstreamError('UPSTREAM_RESET', 'nobody')
  bottom.held[0]?.fail(error)
  t.same(await Promise.all(asked), [error, error])
  const second = asking('one')
  t.equal(bottom.taken, 2)
  bottom.held[0]?.answer('well')
  t.equal((await second).value, 'well')
})

test('a call after the answer starts a new flight: no answer is kept', async t => {
  const { bottom, asking } = arrange()
  for (const value of ['one', 'two']) {
    const asked = asking('same')
    bottom.held[0]?.answer(value)
    t.equal((await asked).value, value)
  }
  t.equal(bottom.taken, 2)
})

test('a shared answer is frozen all the way down', async t => {
  const { bottom, asking } = arrange()
  const asked = asking('one')
  const bytes = Buffer.from('bytes')
  bottom.held[0]?.answer({ list: [{ name: 'a' }], none: null, bytes })
  const { value } = (await asked) as { value: { list: { name: string }[]; bytes: Buffer } }
  t.ok(Object.isFrozen(value))
  t.ok(Object.isFrozen(value.list))
  t.ok(Object.isFrozen(value.list[0]))
  t.equal(value.bytes, bytes, 'bytes cannot be frozen and go through')
})

test('a shared answer is frozen below what its own schema froze', async t => {
  const { bottom, asking } = arrange()
  const asked = asking('one')
  bottom.held[0]?.answer(
    z
      .array(z.object({ name: z.string() }))
      .readonly()
      .parse([{ name: 'a' }]),
  )
  const { value } = (await asked) as { value: object[] }
  t.ok(Object.isFrozen(value[0]))
})

test('the flight has no deadline of its own, and keeps the events and the effort of the call that began it', async t => {
  const { bottom, service } = arrange()
  const run = testRun({ deadline: 50, headers: { accept: 'x' } })
  const call = run.ask(questions.shared({ id: 'one' }), { step: 3, index: 4 })
  const asked = service(call)
  const flight = bottom.held[0]?.call
  t.equal(flight?.scope.deadline, Infinity)
  t.equal(flight?.scope.headers, run.headers)
  t.equal(flight?.scope.admitted, run.admitted)
  t.equal(flight?.effort, call.effort)
  t.match(flight, { step: 3, index: 4, spec: call.spec, path: call.path })
  flight?.scope.emit({
    type: 'attempt started',
    at: 1,
    step: 3,
    call: 4,
    upstream: 'any',
    operation: 'any.one',
    attempt: 1,
    kind: 'first',
  })
  t.match(run.events, [{ type: 'attempt started' }])
  t.ok((flight?.scope.now() ?? 0) > 0)
  bottom.held[0]?.answer()
  await asked
})

const forward = ['authorization', 'x-tenant']
const { get, put } = defineUpstream(
  'keys',
  { origin: 'http://127.0.0.1:9', forwardHeaders: forward },
  {
    get: operation({
      path: '/{a}',
      params: z.object({ a: z.string() }),
      query: z.object({ q: z.string().optional() }),
      output: z.unknown(),
    }),
    put: operation({
      method: 'PUT',
      path: '/{a}',
      params: z.object({ a: z.string() }),
      body: z.object({ b: z.string().optional(), key: z.string().optional() }),
      idempotencyKey: ({ body }) => body.key ?? 'none',
      output: z.unknown(),
    }),
  },
)

const word = fc.constantFrom('a', 'b', '"', ',', 'null', 'a","b', 'undefined')
const maybe = fc.option(word, { nil: undefined })
const asks = fc.record({ isPut: fc.boolean(), a: word, extra: maybe, key: maybe, authorization: maybe, tenant: maybe })

test('the key of two calls is equal exactly when everything that goes out is', t => {
  type Ask = typeof asks extends fc.Arbitrary<infer A> ? A : never
  const live = ({ isPut, a, extra, key, authorization, tenant }: Ask) =>
    testRun({ headers: { authorization, 'x-tenant': tenant, other: String(Math.random()) } }).ask(
      isPut ? put({ a, body: { b: extra, key } }) : get({ a, q: extra }),
    )
  const sent = (ask: Ask) =>
    JSON.stringify([
      ask.isPut,
      ask.a,
      ask.extra ?? 0,
      ask.isPut ? (ask.key ?? 0) : 0,
      ask.authorization ?? 0,
      ask.tenant ?? 0,
    ])
  fc.assert(
    fc.property(asks, asks, (one, two) => (keyOf(live(one)) === keyOf(live(two))) === (sent(one) === sent(two))),
    { numRuns: 500 },
  )
  fc.assert(fc.property(asks, ask => keyOf(live(ask)) === keyOf(live({ ...ask }))))
  t.end()
})
