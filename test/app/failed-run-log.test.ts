import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { CallerCredentials } from '../../src/http/log/caller-credentials.ts'
import { lossySources } from '../../src/http/log/logged-sources.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

type Fields = Readonly<Record<string, unknown>>

/** Fields of every line, and those that repeat the reply. */
const omitted = new Set(
  'level time pid hostname reqId trace_id span_id trace_flags req res responseTime msg aggregate url detail'.split(' '),
)

/** An upstream that answers `/item?n=404` with that status; `script` replaces its answers. */
async function open(t: Test, name: string, script?: Script) {
  const byStatus: Script = (socket, { path }) => {
    const n = Number(/n=(\d+)/.exec(path)?.[1])
    socket.write(n >= 400 ? json({}, n) : json(n))
  }
  const raw = await rawUpstream(t, script ?? byStatus)
  const query = z.object({ n: z.number().int() })
  const operations = {
    item: operation({ path: '/item', query, output: z.number() }),
    other: operation({ path: '/other', query, output: z.number() }),
    shared: operation({ path: '/shared', query, output: z.number(), coalesce: true }),
    named: operation({ path: '/named/{name}', params: z.object({ name: z.string() }), output: z.number() }),
  }
  return { raw, ...defineUpstream(name, { origin: raw.origin, retry: false, breaker: false }, operations) }
}

/** Returns the response of an aggregate, and the fields of its line that are about failures. */
async function ask(t: Test, built: AnyAggregate) {
  const lines: Fields[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line) as Fields) }
  const logger = { ...(loggerOptions({ level: 'info', redaction: new Redaction([]) }) as object), stream }
  const get = await listening(t, buildApp([built], { logger }))
  const response = await get<{ readonly sources: Readonly<Record<string, Fields>> }>('/it')
  const { sources, ...line } = (lines.find(({ reqId }) => reqId !== undefined) ?? {}) as {
    readonly sources?: Readonly<Record<string, Fields>>
  } & Fields
  const fields: Fields = Object.fromEntries(Object.entries(line).filter(([field]) => !omitted.has(field)))
  // The durations differ from run to run.
  const withoutMs = Object.entries(sources ?? {}).map(([step, { ms, ...source }]) => {
    t.type(ms, 'number')
    return [step, source] as const
  })
  return { response, line: fields, sources: Object.fromEntries(withoutMs) as Readonly<Record<string, Fields>> }
}

const base = () => aggregate('it', { url: '/it' })

test('a call that is aborted because another one failed is not a loss, and has no status', async t => {
  const healthy = await open(t, 'healthy', () => {})
  const broken = await open(t, 'broken', async socket => {
    await healthy.raw.asked(4)
    socket.write(json({}, 500))
  })
  const { response, line, sources } = await ask(
    t,
    base()
      .required('a', () => broken.item({ n: 1 }))
      .required('b', () => healthy.item({ n: 1 }))
      .optional('c', () => healthy.item({ n: 2 }), { fallback: null })
      .each('d', () => [healthy.item({ n: 3 })])
      .firstOf('e', () => [healthy.item({ n: 4 })])
      .reply(z.unknown(), () => 1),
  )
  t.same(line, { code: 'UPSTREAM_STATUS', step: 'a', upstream: 'broken', operation: 'item', status: 500 })
  const cancelled = { state: 'cancelled', attempts: 1 }
  t.same(sources, {
    a: { state: 'failed', attempts: 1, code: 'UPSTREAM_STATUS' },
    b: cancelled,
    c: cancelled,
    d: cancelled,
    e: cancelled,
  })
  const { a, ...others } = response.body.sources
  t.match(a, { state: 'failed', status: 500, code: 'UPSTREAM_STATUS' })
  for (const [step, outcome] of Object.entries(others)) {
    t.match(outcome, { state: 'cancelled', attempts: 1 }, step)
    t.notOk('status' in outcome, step)
  }
})

test('a step that failed before the run failed stays a loss', async t => {
  const cats = await open(t, 'cats')
  const { line, sources } = await ask(
    t,
    base()
      .optional('a', () => cats.item({ n: 404 }), { fallback: null })
      .required('b', () => cats.item({ n: 410 }), { needs: ['a'] })
      .reply(z.unknown(), () => 1),
  )
  t.same(line, {
    code: 'UPSTREAM_STATUS',
    step: 'b',
    upstream: 'cats',
    operation: 'item',
    status: 410,
  })
  t.same(sources, {
    a: { state: 'fallback', attempts: 1, code: 'UPSTREAM_STATUS', upstream: 'cats', operation: 'item', status: 404 },
    b: { state: 'failed', attempts: 1, code: 'UPSTREAM_STATUS' },
  })
})

test('equal losses are one, so that the failure that decides has its upstream after many of them', async t => {
  const cats = await open(t, 'cats')
  const { line, sources } = await ask(
    t,
    base()
      .each('p', () => times(15, () => cats.item({ n: 404 })), { minSuccess: 0, fallback: null })
      .required('q', () => cats.item({ n: 410 }), { needs: ['p'] })
      .reply(z.unknown(), () => 1),
  )
  t.same(line, {
    code: 'UPSTREAM_STATUS',
    step: 'q',
    upstream: 'cats',
    operation: 'item',
    status: 410,
  })
  t.same(sources['p'], {
    state: 'partial',
    attempts: 15,
    calls: 15,
    ok: 0,
    code: 'UPSTREAM_STATUS',
    upstream: 'cats',
    operation: 'item',
    status: 404,
    failed: 15,
  })
})

test('a step keeps ten losses that differ, and the first loss of each step is kept beside them', async t => {
  const cats = await open(t, 'cats')
  const { line, sources } = await ask(
    t,
    base()
      .each('p', () => times(15, index => cats.item({ n: 440 + index })), { minSuccess: 0, fallback: null })
      .optional('q', () => cats.other({ n: 404 }), { fallback: null, needs: ['p'] })
      .required('r', () => cats.item({ n: 410 }), { needs: ['q'] })
      .reply(z.unknown(), () => 1),
  )
  t.match(line, { step: 'r', upstream: 'cats', operation: 'item', status: 410 })
  t.match(sources, {
    p: { state: 'partial', upstream: 'cats', status: 440, failed: 1 },
    q: { state: 'fallback', upstream: 'cats', operation: 'other', status: 404 },
  })
  t.same(
    (sources['p']?.['lost'] as readonly Fields[]).map(({ status }) => status),
    [441, 442, 443, 444, 445, 446, 447, 448, 449],
  )
  t.notOk('lost' in (sources['q'] as Fields))
})

test('losses that differ in the operation only are kept apart', async t => {
  const cats = await open(t, 'cats')
  const { sources } = await ask(
    t,
    base()
      .each('p', () => [cats.item({ n: 404 }), cats.other({ n: 404 })], { minSuccess: 0, fallback: null })
      .reply(z.unknown(), () => 1),
  )
  t.match(sources['p'], { operation: 'item', failed: 2, lost: [{ operation: 'other', failed: 2 }] })
})

test('a call that is refused for its input has its upstream, its operation and the reason in the log', async t => {
  const cats = await open(t, 'cats')
  const loss = { upstream: 'cats', operation: 'item', why: /^n: .*expected (int|number)/ }
  const refused = () => cats.item({ n: 0.5 })
  const options = { fallback: null }
  const { sources } = await ask(
    t,
    base()
      .optional('a', refused, options)
      .optional('b', () => cats.named({ name: '' }), options)
      .each('c', () => [cats.item({ n: 1 }), refused()], { minSuccess: 0, ...options })
      .optional('d', refused, { needs: ['c'], ...options })
      .reply(z.unknown(), () => 1),
  )
  t.match(sources, {
    a: { state: 'fallback', code: 'CALL_INPUT_INVALID', ...loss },
    b: {
      code: 'CALL_INPUT_INVALID',
      upstream: 'cats',
      operation: 'named',
      why: "the path parameter 'name' is empty",
    },
    c: { code: 'CALL_INPUT_INVALID', ...loss },
    d: { code: 'UPSTREAM_CALL_INPUT_INVALID', ...loss },
  })
  t.same(Object.keys(sources), ['a', 'b', 'c', 'd'])
  for (const source of Object.values(sources)) t.notOk('lost' in source)
  t.equal(cats.raw.requests.length, 0)
})

test('a refused call that decides has its upstream and its operation in the log', async t => {
  const cats = await open(t, 'cats')
  const refused = () => cats.item({ n: 0.5 })
  for (const [step, code, built] of [
    ['a', 'CALL_INPUT_INVALID', base().required('a', refused)],
    ['a', 'CALL_INPUT_INVALID', base().each('a', () => [refused()])],
    ['a', 'CALL_INPUT_INVALID', base().firstOf('a', () => [refused()])],
    [
      'a',
      'UPSTREAM_CALL_INPUT_INVALID',
      base()
        .required('n', () => 1)
        .required('a', refused, { needs: ['n'] }),
    ],
    [
      'context',
      'CALL_INPUT_INVALID',
      base()
        .context(refused)
        .required('a', () => 1),
    ],
    [
      'context',
      'CALL_INPUT_INVALID',
      base()
        .context(async ({ ask: answerOf }) => {
          await answerOf(cats.item({ n: 1 }))
          return refused()
        })
        .required('a', () => 1),
    ],
  ] as const) {
    const { line, sources } = await ask(
      t,
      built.reply(z.unknown(), () => 1),
    )
    t.match(line, { code, step, upstream: 'cats', operation: 'item' })
    t.match(sources[step], { state: 'failed', code })
    for (const field of ['upstream', 'operation', 'why', 'lost']) t.notOk(field in (sources[step] as Fields), field)
  }
})

test('the failure that decides is the one that context() throws, not one that it has caught', async t => {
  const cats = await open(t, 'cats')
  const dogs = await open(t, 'dogs')
  const { line, sources } = await ask(
    t,
    base()
      .context(async ({ ask: answerOf }) => {
        await answerOf(cats.item({ n: 404 })).catch(() => {})
        return dogs.other({ n: 410 })
      })
      .reply(z.unknown(), () => 1),
  )
  t.same(line, { step: 'context', code: 'UPSTREAM_STATUS', upstream: 'dogs', operation: 'other', status: 410 })
  t.same(sources, {
    context: {
      state: 'failed',
      attempts: 2,
      calls: 2,
      ok: 0,
      code: 'UPSTREAM_STATUS',
      failed: 1,
      lost: [{ code: 'UPSTREAM_STATUS', upstream: 'cats', operation: 'item', status: 404, failed: 1 }],
    },
  })
})

test('the step that failed is the one in the line, if an optional step has the same error', async t => {
  const cats = await open(t, 'cats')
  const { line, sources } = await ask(
    t,
    base()
      .optional('a', () => cats.shared({ n: 404 }), { fallback: null })
      .required('b', () => cats.shared({ n: 404 }))
      .reply(z.unknown(), () => 1),
  )
  t.equal(cats.raw.requests.length, 1, 'the calls are coalesced')
  t.match(line, { step: 'b', upstream: 'cats', operation: 'shared', status: 404 })
  t.match(sources, {
    a: { state: 'fallback', code: 'UPSTREAM_STATUS', upstream: 'cats', status: 404 },
    b: { state: 'failed', code: 'UPSTREAM_STATUS' },
  })
  t.notOk('upstream' in (sources['b'] as Fields))
})

test('a step that fails without a failed call is named, with the code of the run', async t => {
  const { line, sources } = await ask(
    t,
    base()
      .required('slow', () => new Promise(() => {}), { timeout: 5 })
      .reply(z.unknown(), () => 1),
  )
  t.same(line, { step: 'slow', code: 'STEP_TIMEOUT' })
  t.same(sources, { slow: { state: 'failed', attempts: 0, code: 'STEP_TIMEOUT' } })
})

test('a step that is whole has the calls that it caught as losses, and no code', async t => {
  const cats = await open(t, 'cats')
  const { sources } = await ask(
    t,
    base()
      .context(async ({ ask: answerOf }) => {
        await answerOf(cats.item({ n: 404 })).catch(() => {})
      })
      .optional('a', () => cats.other({ n: 410 }), { fallback: null })
      .reply(z.unknown(), () => 1),
  )
  const loss = { code: 'UPSTREAM_STATUS', upstream: 'cats', operation: 'item', status: 404, failed: 1 }
  t.same(sources['context'], { state: 'ok', attempts: 1, calls: 1, ok: 0, lost: [loss] })
})

test('a step whose code is not the code of its calls has its code, and its calls as losses', t => {
  const error = new UpstreamError('UPSTREAM_RESET', 'cats')
  const outcomes = { a: { state: 'fallback', ms: 1, attempts: 1, code: 'STEP_TIMEOUT', status: 200 } }
  const { a } = lossySources(
    outcomes,
    [{ name: 'a' }],
    [{ step: 0, operation: 'cats.item', error }],
    new CallerCredentials({}),
  )
  t.match(a, {
    state: 'fallback',
    code: 'STEP_TIMEOUT',
    upstream: undefined,
    status: undefined,
    lost: [{ code: 'UPSTREAM_RESET', upstream: 'cats', operation: 'item' }],
  })
  t.end()
})
