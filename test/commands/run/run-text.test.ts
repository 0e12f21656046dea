import { UpstreamError } from '../../../src/errors.ts'
import { test } from 'tap'
import { createRunView, applyEvent } from '../../../src/commands/run/run-view.ts'
import { plainLine } from '../../../src/commands/run/run-text.ts'
import { lossesOf } from '../../../src/commands/run/run-text.ts'
import type { RunEvent } from '../../../src/fanout/events.ts'
import { runViewAfter, drawn } from '../../helpers/run-view-after.ts'

test('a line is said for each start and end of a step and for the end of the run, and for nothing else', async t => {
  const events: RunEvent[] = [
    { type: 'step started', at: 0, step: 0 },
    { type: 'attempt started', at: 1, step: 0, call: 0, attempt: 1 },
    { type: 'attempt ended', at: 20, step: 0, call: 0, attempt: 1, code: undefined },
    {
      type: 'call ended',
      operation: 'source.ask',
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

test("each step without a value of its own is told with its code, the upstream's status and the words of the table", async t => {
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
    'extra  fallback: UPSTREAM_CONTENT_TYPE (200), answered with a content type its operation does not accept: ' +
      "the content type is 'text/\\u001b[2Jhtml'",
  ])
})
