import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
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

test("only statuses from 400 to 499 are an author's answer; any other is a bug", async t => {
  for (const status of [500, 399, 302, 404.5, Number.NaN]) {
    const described = base
      .optional('a', (): number => refuse(status, 'a secret'), { fallback: null })
      .reply(Any, () => 1)
    const problem = await problemOf(fanOut(described, {}, { runtime }))
    t.match(problem, { code: 'INTERNAL', statusCode: 500, cause: TypeError })
    t.match(problem.cause, {
      message: `refuse(${status}) must have a status from 400 to 499`,
    })
  }
  for (const status of [400, 499]) {
    t.match(
      await problemOf(
        fanOut(
          base.required('a', (): number => refuse(status, 'x')).reply(Any, () => 1),
          {},
          { runtime },
        ),
      ),
      { statusCode: status },
    )
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
