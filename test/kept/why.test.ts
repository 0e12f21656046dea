import { test } from 'tap'
import { z } from 'zod'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { readFaults } from '../../src/fanout/rehearsal/read-faults.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { endedRun } from '../helpers/ended-run.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { oracle } from '../helpers/oracle.ts'
import { elapsed } from '../helpers/until.ts'

const Any = z.unknown()
const base = aggregate('told', { url: '/told', deadline: 20_000 })
const ask = operation({ path: '/{id}', params: z.object({ id: z.string() }), output: Any })

type Teardown = Parameters<typeof httpUpstream>[0]

function runtimeFor(t: Teardown) {
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return runtime
}

/** Answers 503 after a time that is longer than the pauses between the attempts. */
const late503 = ({ json }: Asked) => void setTimeout(() => json({}, 503), 15)

/** Replaces each number of a sentence, because times differ from run to run. */
const withoutNumbers = (sentences: readonly string[]) =>
  sentences.map(sentence => sentence.replaceAll(/\d+(?:\.\d+)?(?= (?:ms|of))/g, 'N'))

test('a step that lost its time in the queue says so', async t => {
  const { origin } = await httpUpstream(t)
  const source = defineUpstream('meowfacts', { origin, concurrency: 1 }, { ask })
  const declared = base
    .optional('first', () => source.ask({ id: 'a' }), { fallback: null })
    .optional('second', () => source.ask({ id: 'b' }), { fallback: null })
    .reply(Any, () => 1)
  const { why } = await endedRun(declared, { runtime: runtimeFor(t), deadline: 80 })
  t.same(withoutNumbers(why.toSorted()), [
    'first: DEADLINE_EXCEEDED: N ms of N ms in 1 attempt of meowfacts.ask (DEADLINE_EXCEEDED)',
    'second: DEADLINE_EXCEEDED: N ms of N ms waited for a permit of meowfacts',
  ])
})

test('a step whose attempts failed says which statuses and codes they had, and why no more followed', async t => {
  const { origin } = await httpUpstream(t, late503)
  const budget = { ratio: 0, minPerSecond: 0.1 }
  const source = defineUpstream(
    'meowfacts',
    { origin, retryBudget: budget, retry: { maxAttempts: 3, initialDelay: 0 } },
    { ask },
  )
  const declared = base.required('meow', () => source.ask({ id: 'a' })).reply(Any, () => 1)
  const run = await endedRun(declared, { runtime: runtimeFor(t) })
  t.same(withoutNumbers(run.why), [
    'meow: UPSTREAM_BUSY: N ms of N ms in 2 attempts of meowfacts.ask (503 UPSTREAM_BUSY, 503 UPSTREAM_BUSY)' +
      '; retry not sent: the retry budget was spent',
  ])
})

test('a long pause before a retry is the reason', async t => {
  const { origin } = await httpUpstream(t, ({ response, json }) => {
    response.setHeader('retry-after', '1')
    json({}, 503)
  })
  const source = defineUpstream('meowfacts', { origin }, { ask })
  const declared = base.required('meow', () => source.ask({ id: 'a' })).reply(Any, () => 1)
  const run = await endedRun(declared, {
    runtime: runtimeFor(t),
    during: each => setTimeout(() => each.cancel('gone'), 400),
  })
  t.same(withoutNumbers(run.why), [
    'the caller left after N ms',
    'meow: N ms of N ms waited before a retry of meowfacts.ask',
  ])
})

test('an open breaker is the reason without a time', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json({}, 500))
  const breaker = { minimumCalls: 1, failureRatio: 0.1 }
  const source = defineUpstream('meowfacts', { origin, retry: false, breaker }, { ask })
  const declared = base.required('meow', () => source.ask({ id: 'a' })).reply(Any, () => 1)
  const runtime = runtimeFor(t)
  await endedRun(declared, { runtime })
  const run = await endedRun(declared, { runtime })
  t.same(run.why, ['meow: BREAKER_OPEN: the circuit breaker of meowfacts was open'])
})

test('a step whose function took the time says so', async t => {
  const declared = base
    .required('own', () => {
      for (const since = performance.now(); performance.now() - since < 15;);
      return oracle.ask({ id: 'a' })
    })
    .reply(Any, () => 1)
  const run = await endedRun(declared, { runtime: answeringRuntime(() => 1) })
  t.same(withoutNumbers(run.why), ['own: N ms of N ms in the function of the step'])
})

test('a run has at most three sentences, and the failed step is first', async t => {
  const lost = (path: string) => {
    throw new UpstreamError(path === '/need' ? 'UPSTREAM_RESET' : 'UPSTREAM_BUSY', 'oracle')
  }
  let builder = base.optional('a', () => oracle.ask({ id: 'a' }), { fallback: null })
  for (const name of ['b', 'c', 'd'])
    builder = builder.optional(name, () => oracle.ask({ id: name }), { fallback: null })
  const declared = builder.required('need', () => oracle.ask({ id: 'need' }), { needs: ['a'] }).reply(Any, () => 1)
  const { why } = await endedRun(declared, { runtime: answeringRuntime(lost) })
  t.equal(why.length, 3)
  t.match(why[0], /^need: UPSTREAM_RESET: /)
})

test('a failure that belongs to no step, and a stream that the service ends, have a sentence of the run', async t => {
  const broken = base
    .required('fine', () => 1)
    .reply(Any, () => {
      throw new TypeError('a bug')
    })
  const failed = await endedRun(broken, { runtime: answeringRuntime(() => 1) })
  t.match(failed.why[0], /^INTERNAL: the run failed after [\d.]+ ms, and no step explains it$/)
  const held = base.required('first', () => oracle.ask({ id: 'a' })).reply(Any, () => 1)
  const cut = await endedRun(held, {
    runtime: heldRuntime(),
    during: run => run.cancel(new Problem('REQUEST_TIMEOUT')),
  })
  t.match(cut.why, [/^REQUEST_TIMEOUT: the service ended the reply after [\d.]+ ms$/, /^first: /])
  const refused = base.required('first', (): number => refuse(404, 'no such cat')).reply(Any, () => 1)
  t.match((await endedRun(refused, { runtime: answeringRuntime(() => 1) })).why, [/^first: REFUSED: /])
})

test('a list with failed items says the code of its first failed call', async t => {
  const declared = base
    .each('all', () => ['a', 'b', 'c', 'd', 'e'].map(id => oracle.ask({ id })), { minSuccess: 1, fallback: null })
    .reply(Any, () => 1)
  const run = await endedRun(declared, {
    runtime: answeringRuntime(path => {
      if (path !== '/a') throw new UpstreamError('UPSTREAM_BUSY', 'oracle')
      return 1
    }),
  })
  t.match(run.lost, [{ step: 'all', code: 'UPSTREAM_BUSY' }])
  t.match(run.why, [/^all: UPSTREAM_BUSY: /])
})

test('more than three results of attempts are counted', async t => {
  const { origin } = await httpUpstream(t, late503)
  const retry = { maxAttempts: 5, initialDelay: 0, maxDelay: 0 }
  const source = defineUpstream('meowfacts', { origin, retry }, { ask })
  const declared = base.required('meow', () => source.ask({ id: 'a' })).reply(Any, () => 1)
  const { why } = await endedRun(declared, { runtime: runtimeFor(t) })
  t.match(why[0], 'in 5 attempts of meowfacts.ask (503 UPSTREAM_BUSY, 503 UPSTREAM_BUSY, 503 UPSTREAM_BUSY and 2 more)')
})

test('a step with a rehearsed fault names the fault as its reason', async t => {
  const { origin } = await httpUpstream(t, ({ json }: Asked) => json({}))
  const source = defineUpstream('meowfacts', { origin }, { ask })
  const declared = base.optional('meow', () => source.ask({ id: 'a' }), { fallback: null }).reply(Any, () => 1)
  for (const [fault, sentence] of [
    ['delay:40', 'meow: the rehearsed fault delay:40'],
    ['drop', 'meow: UPSTREAM_RESET: the rehearsed fault drop'],
    ['fail:503', 'meow: UPSTREAM_BUSY: the rehearsed fault fail:503'],
  ] as const) {
    const { rehearsal } = readFaults(`meow=${fault}`, declared)
    t.same((await endedRun(declared, { runtime: runtimeFor(t), rehearsal })).why, [sentence])
  }
})

test('a call that spent its time neither in a wait nor in an attempt says so', async t => {
  const declared = base.required('held', () => oracle.ask({ id: 'a' })).reply(Any, () => 1)
  const run = await endedRun(declared, { runtime: answeringRuntime(() => elapsed(20)) })
  t.same(withoutNumbers(run.why), ['held: N ms of N ms outside the attempts and waits of oracle.ask'])
})

test('a complete run says where its longest step spent its time', async t => {
  const { origin } = await httpUpstream(t, ({ json }: Asked) => void setTimeout(() => json({}), 20))
  const source = defineUpstream('meowfacts', { origin }, { ask })
  const declared = base
    .required('slow', () => source.ask({ id: 'a' }))
    .required('fast', () => 1)
    .reply(Any, () => 1)
  const { why } = await endedRun(declared, { runtime: runtimeFor(t) })
  t.same(withoutNumbers(why), ['slow: N ms of N ms in 1 attempt of meowfacts.ask (200)'])
  const empty = await endedRun(
    base.reply(Any, () => 1),
    { runtime: answeringRuntime(() => 1) },
  )
  t.same(empty.why, [])
})
