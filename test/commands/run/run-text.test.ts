import { UpstreamError } from '../../../src/errors.ts'
import { test } from 'tap'
import { z } from 'zod'
import { callsOf, createRunView, applyEvent } from '../../../src/commands/run/run-view.ts'
import { plainLine } from '../../../src/commands/run/run-text.ts'
import { lossesOf, summaryOf, waitsOf } from '../../../src/commands/run/run-text.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import type { BareEvent } from '../../../src/fanout/events.ts'
import { oracle } from '../../helpers/oracle.ts'
import { runViewAfter, drawn } from '../../helpers/run-view-after.ts'

const source = { upstream: 'source', operation: 'source.ask' }
const cats = { upstream: 'cats', operation: 'cats.fact' }

test('a line is said for each start and end of a step and for the end of the run, and for nothing else', async t => {
  const events: BareEvent[] = [
    { type: 'run started', at: 0 },
    { type: 'step started', at: 0, step: 0 },
    { type: 'call waited', at: 1, step: 0, call: 0, ...source, reason: 'permit', ms: 1 },
    { type: 'attempt started', at: 1, step: 0, call: 0, ...source, attempt: 1, kind: 'first' },
    { type: 'attempt ended', at: 20, step: 0, call: 0, ...source, attempt: 1, status: 200, code: undefined },
    {
      type: 'call ended',
      ...source,
      at: 20,
      step: 0,
      call: 0,
      attempts: 1,
      status: 200,
      code: undefined,
      error: undefined,
      cached: undefined,
    },
    { type: 'step ended', at: 20.06, step: 0, state: 'ok', code: undefined, tally: undefined },
    { type: 'step started', at: 20.1, step: 1 },
    {
      type: 'step ended',
      at: 30,
      step: 1,
      state: 'partial',
      code: undefined,
      tally: {
        calls: 3,
        ok: 1,
        failed: [
          { index: 0, code: 'UPSTREAM_RESET' },
          { index: 2, code: 'UPSTREAM_RESET' },
        ],
      },
    },
    { type: 'run ended', at: 31, code: undefined },
  ]
  const view = createRunView(drawn)
  const lines = events.map(event => {
    applyEvent(view, event)
    return plainLine(view, event)
  })
  t.same(
    lines.filter(line => line !== undefined),
    [
      '     0.0 ms  first   started',
      '    20.1 ms  first   ok after 20.1 ms, 1 attempt',
      '    20.1 ms  pages   started',
      '    30.0 ms  pages   partial after 9.9 ms, 0 attempts, 1/3 calls: 2 of 3 calls lost, 2 × ' +
        'UPSTREAM_RESET, closed the connection before its answer was complete',
      '    31.0 ms  not complete, in 31.0 ms',
    ],
  )
})

test("each step without its own value is reported with its code, the upstream's status and the text of the error table", async t => {
  const view = runViewAfter([
    [0, 'step started', { step: 0 }],
    [5, 'step ended', { step: 0, state: 'ok' }],
    [5, 'call ended', { step: 3, status: 500, code: 'UPSTREAM_STATUS' }],
    [5, 'step ended', { step: 3, state: 'fallback', code: 'UPSTREAM_STATUS' }],
    [6, 'step ended', { step: 1, state: 'cancelled' }],
    [6, 'step ended', { step: 2, state: 'failed', code: 'STEP_TIMEOUT' }],
  ])
  t.same(lossesOf(view), [
    'mirror  failed: STEP_TIMEOUT, did not end within its timeout',
    'extra   fallback: UPSTREAM_STATUS (500), answered with an unexpected status',
  ])
})

test('a context() that asks a call has lines before those of every step, and its failure is a loss', async t => {
  const view = createRunView(drawn)
  const events: BareEvent[] = [
    { type: 'step started', at: 0, step: -1 },
    { type: 'attempt started', at: 1, step: -1, call: 0, ...cats, attempt: 1, kind: 'first' },
    {
      type: 'call ended',
      at: 20,
      step: -1,
      call: 0,
      ...cats,
      attempts: 1,
      status: 500,
      code: 'UPSTREAM_STATUS',
      error: undefined,
      cached: undefined,
    },
    { type: 'step ended', at: 20, step: -1, state: 'failed', code: 'UPSTREAM_STATUS', tally: undefined },
    { type: 'run ended', at: 21, code: 'UPSTREAM_STATUS' },
  ]
  t.same(
    events
      .map(event => {
        applyEvent(view, event)
        return plainLine(view, event)
      })
      .filter(line => line !== undefined),
    [
      '     0.0 ms  context  started',
      '    20.0 ms  context  failed after 20.0 ms, 1 attempt: UPSTREAM_STATUS (500), answered with an unexpected status',
      '    21.0 ms  failed after 21.0 ms: UPSTREAM_STATUS',
    ],
  )
  t.same(lossesOf(view), ['context  failed: UPSTREAM_STATUS (500), answered with an unexpected status'])
  t.same(
    view.rows.map(({ name }) => name),
    ['context', 'first', 'pages', 'mirror', 'extra'],
  )
})

test('a context() that refuses after good answers has no status of its loss, and that of several calls has counts', async t => {
  const asked = [
    [0, 'step started', { step: -1 }],
    [1, 'attempt started', { step: -1 }],
    [2, 'call ended', { step: -1, status: 200 }],
  ] as const
  const refused = runViewAfter([...asked, [3, 'step ended', { step: -1, state: 'failed', code: 'REFUSED' }]])
  t.same(lossesOf(refused), ['context  failed: REFUSED, refused the request'])
  const tally = { calls: 2, ok: 1, failed: [{ index: 0, code: 'UPSTREAM_STATUS', status: 404 }] }
  t.same(lossesOf(runViewAfter([...asked, [3, 'step ended', { step: -1, state: 'failed', tally }]])), [
    'context  failed: 1 of 2 calls lost, UPSTREAM_STATUS (404), answered with an unexpected status',
  ])
})

test('a step that waited for a tenth of the run has a line with its longest wait', async t => {
  const waited = (call: number, reason: string, ms: number) =>
    [500, 'call waited', { ...source, step: 1, call, reason, ms }] as const
  const events = [
    [0, 'step started', { step: 1 }],
    waited(0, 'permit', 205),
    waited(1, 'retry', 300),
    [900, 'call joined', { ...source, step: 0, reason: 'shared' }],
    [990, 'call joined', { ...source, step: 3, reason: 'keys' }],
  ] as const
  t.same(waitsOf(runViewAfter(events)), [], 'a run in progress has none')
  t.same(waitsOf(runViewAfter([...events, [1000, 'run ended']])), [
    'first  waited 100 ms for an equal call',
    'pages  waited 300 ms before the retry',
  ])
})

test('the omitted items of a list are reported, alone and with lost calls', async t => {
  const ended = (tally: object) =>
    lossesOf(runViewAfter([[5, 'step ended', { step: 1, state: 'partial', tally: { calls: 3, ok: 3, ...tally } }]]))
  t.same(ended({ failed: [], omitted: 7 }), ['pages  partial: 7 items omitted by its maxItems'])
  t.same(ended({ failed: [], omitted: 1 }), ['pages  partial: 1 item omitted by its maxItems'])
  t.same(ended({ failed: [{ index: 1, code: 'UPSTREAM_RESET' }], omitted: 7 }), [
    'pages  partial: 1 of 3 calls lost, UPSTREAM_RESET, closed the connection before its answer was complete; ' +
      '7 items omitted by its maxItems',
  ])
})

test('the omitted pages of a list are reported, also if their number is not known', async t => {
  const book = aggregate('book', { url: '/book' })
    .pages('pages', () => oracle.ask({ id: 0 }), { next: () => null })
    .reply(z.unknown(), () => 1)
  const lossesWith = (omitted: number | null) => {
    const view = createRunView(book)
    const tally = { calls: 3, ok: 3, failed: [], omitted }
    applyEvent(view, { type: 'step ended', at: 5, step: 0, state: 'partial', code: undefined, tally })
    return lossesOf(view)
  }
  t.same(lossesWith(7), ['pages  partial: 7 pages omitted by its maxPages'])
  t.same(lossesWith(1), ['pages  partial: 1 page omitted by its maxPages'])
  t.same(lossesWith(null), ['pages  partial: further pages omitted by its maxPages'])
})

test('the progress of pages shows that more may follow until the step has ended', async t => {
  const book = aggregate('book', { url: '/book' })
    .pages('pages', () => oracle.ask({ id: 0 }), { next: () => null })
    .reply(z.unknown(), () => 1)
  const view = createRunView(book)
  const shown = () => view.rows.map(callsOf)
  applyEvent(view, { type: 'step started', at: 0, step: 0 })
  t.same(shown(), [''])
  applyEvent(view, { type: 'attempt started', at: 1, step: 0, call: 0, ...source, attempt: 1, kind: 'first' })
  t.same(shown(), ['0/1+'])
  const tally = { calls: 1, ok: 1, failed: [] }
  applyEvent(view, { type: 'step ended', at: 5, step: 0, state: 'ok', code: undefined, tally })
  t.same(shown(), ['1/1'])
})

test('the reason of a failed call follows its code, without what would control the terminal', async t => {
  const error = new UpstreamError('UPSTREAM_CONTENT_TYPE', 'cats', {
    cause: new Error("the content type is 'text/\u001b[2Jhtml'"),
  })
  const view = runViewAfter([
    [0, 'step started', { step: 3 }],
    [5, 'call ended', { step: 3, status: 200, code: error.code, error }],
    [5, 'step ended', { step: 3, state: 'fallback', code: error.code }],
  ])
  t.same(lossesOf(view), [
    'extra  fallback: UPSTREAM_CONTENT_TYPE (200), answered with a content type that its operation does not accept: ' +
      "the content type is 'text/\\u001b[2Jhtml'",
  ])
})

test('a kept answer that comes after the end of context() makes its row stale', async t => {
  const cached = { cache: 'stale', insteadOf: new UpstreamError('UPSTREAM_BUSY', 'source', { upstreamStatus: 503 }) }
  for (const [tally, code] of [
    [undefined, 'UPSTREAM_BUSY'],
    [{ calls: 2, ok: 0, failed: [] }, undefined],
  ] as const) {
    const view = runViewAfter([
      [0, 'step started', { step: -1 }],
      [5, 'step ended', { step: -1, tally }],
      [9, 'call ended', { step: -1, status: 503, cached }],
      [12, 'run ended'],
    ])
    t.match(view.rows[0], { name: 'context', state: 'stale', code })
    t.equal(summaryOf(view, 12), 'not complete, in 12.0 ms')
  }
  const ofStep = runViewAfter([
    [5, 'step ended'],
    [9, 'call ended', { cached }],
  ])
  t.equal(ofStep.rows[0]?.state, 'ok')
})
