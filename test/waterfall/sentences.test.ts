import { test } from 'tap'
import type { KeptAttempt } from '../../src/waterfall/kept-run.ts'
import { markText, sentenceOfCall, sentenceOfRun, sentenceOfStep } from '../../src/waterfall/sentences.ts'
import { timelineOf, type TimedStep } from '../../src/waterfall/timeline.ts'
import { keptCall, keptRun, keptStep } from '../helpers/kept-run.ts'

const attempt = (start: number, end: number | null, fields: Partial<KeptAttempt> = {}): KeptAttempt => ({
  number: 1,
  kind: 'first',
  start,
  end,
  status: null,
  code: null,
  ...fields,
})
const stepSentence = (...args: Parameters<typeof keptStep>) =>
  sentenceOfStep(timelineOf(keptRun({ steps: [keptStep(...args)] })).steps[0] as TimedStep)

test('a run says how it ended, after how long, and its deadline', async t => {
  t.equal(
    sentenceOfRun(keptRun({ state: 'partial', ms: 812.4 })),
    'cat-facts ended as partial (status 200) after 812 ms; its deadline was 800 ms.',
  )
  t.equal(
    sentenceOfRun(keptRun({ state: 'failed', status: 504, code: 'DEADLINE_EXCEEDED', ms: 801 })),
    'cat-facts ended as failed (DEADLINE_EXCEEDED, status 504) after 801 ms; its deadline was 800 ms.',
  )
  t.equal(
    sentenceOfRun(keptRun({ state: 'cancelled', status: null, ms: 5, caller: 'left' })),
    'cat-facts ended as cancelled after 5.0 ms; its deadline was 800 ms. The caller left before the reply.',
  )
  t.match(sentenceOfRun(keptRun({ caller: 'cut' })), / The caller did not read the reply\.$/)
})

test('a step says its state, its time, its calls and the steps that it needs', async t => {
  t.equal(
    stepSentence({
      outcome: { state: 'fallback', code: 'DEADLINE_EXCEEDED', start: 0.3, ms: 800.1 },
      calls: [keptCall()],
    }),
    'meow (optional): fallback with DEADLINE_EXCEEDED; 800 ms, from 0.3 ms to 800 ms; 1 call.',
  )
  t.equal(
    stepSentence({
      kind: 'each',
      needs: ['matches', 'found'],
      outcome: { start: 20 },
      calls: [keptCall(), keptCall()],
    }),
    'meow (each, after matches and found): ok; 40 ms, from 20 ms to 60 ms; 2 calls.',
  )
  t.equal(
    stepSentence({ outcome: { state: 'cancelled', start: null, ms: 0 } }),
    'meow (optional): cancelled; it did not start.',
  )
  t.equal(
    stepSentence({ outcome: { ms: 540, fault: 'delay:500' } }),
    'meow (optional): ok; 540 ms, from 0 ms to 540 ms; no call; rehearsed fault delay:500.',
  )
  const running = timelineOf(keptRun({ steps: [keptStep()] })).steps[0] as TimedStep
  t.equal(sentenceOfStep({ ...running, state: 'running', end: null }), 'meow (optional): running; since 0 ms; no call.')
})

test('a call tells its waits, its attempts and what was not sent, in the order of time', async t => {
  t.equal(
    sentenceOfCall(
      keptCall({
        waits: [
          { reason: 'retry', start: 90, end: 120 },
          { reason: 'permit', start: 0, end: 61 },
        ],
        attempts: [
          attempt(61, 90, { code: 'UPSTREAM_BUSY', status: 503 }),
          attempt(120, 180, { number: 2, kind: 'retry', status: 200 }),
        ],
        marks: [{ at: 110, what: 'hedge not sent', reason: 'budget' }],
      }),
    ),
    'waited 61 ms for a permit; attempt 1 at 61 ms: failed with UPSTREAM_BUSY 503 after 29 ms; waited 30 ms before the ' +
      'retry; hedge not sent at 110 ms: the retry budget was used up; attempt 2 (retry) at 120 ms: answered 200 after 60 ms.',
  )
})

test('a hedge that answers first says that the other attempt was cancelled for it', async t => {
  const attempts = [attempt(0, 129, { code: 'CANCELLED' }), attempt(98, 129, { number: 2, kind: 'hedge', status: 200 })]
  t.equal(
    sentenceOfCall(keptCall({ end: 129, attempts })),
    'attempt 1 at 0 ms: cancelled, because another attempt had answered, after 129 ms; ' +
      'attempt 2 (hedge) at 98 ms: answered 200 after 31 ms.',
  )
})

test('a call that ended otherwise than its attempts says so', async t => {
  const sentences = [
    keptCall({ cache: 'hit', end: 0 }),
    keptCall({ cache: 'stale', attempts: [attempt(0, 9, { code: 'UPSTREAM_RESET' })] }),
    keptCall({ waits: [{ reason: 'shared', start: 1, end: 40 }] }),
    keptCall({ waits: [{ reason: 'keys', start: 0, end: 4 }], end: 40 }),
    keptCall({ code: 'DEADLINE_EXCEEDED', status: null, waits: [{ reason: 'token', start: 0, end: 40 }] }),
    keptCall({ code: 'BREAKER_OPEN', end: 0, marks: [{ at: 0, what: 'call refused', reason: 'breaker' }] }),
    keptCall({ code: 'CANCELLED', attempts: [attempt(0, 40, { code: 'CANCELLED' })] }),
    keptCall({ end: null, attempts: [attempt(3, null)] }),
    keptCall({ end: null }),
    keptCall({ end: null, attempts: [attempt(0, 40, { code: 'CANCELLED' })] }),
  ].map(sentenceOfCall)
  t.same(sentences, [
    'answered from the cache.',
    'attempt 1 at 0 ms: failed with UPSTREAM_RESET after 9.0 ms; answered with a stale entry of the cache.',
    'waited 39 ms for an equal call; answered after 40 ms.',
    'waited 4.0 ms for its batch of keys; answered after 40 ms.',
    'waited 40 ms for a token; ended with DEADLINE_EXCEEDED at 40 ms.',
    'call refused at 0 ms: the circuit breaker was open.',
    'attempt 1 at 0 ms: cancelled after 40 ms.',
    'attempt 1 at 3.0 ms: had no answer when the run ended.',
    'had not ended when the run ended.',
    'attempt 1 at 0 ms: cancelled after 40 ms.',
  ])
})

test('each reason of a mark has words', async t => {
  const reasons = ['budget', 'deadline', 'retry-after', 'permit', 'breaker'] as const
  const texts = reasons.map(reason => markText({ at: 7, what: 'retry not sent', reason }))
  t.equal(new Set(texts).size, reasons.length)
  for (const text of texts) t.match(text, /^retry not sent at 7\.0 ms: the|^retry not sent at 7\.0 ms: \w+ /)
})
