import { test } from 'tap'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import type { AttemptSpan, CallSpans } from '../../../src/upstream/call/spans.ts'
import { DetachableSpans } from '../../../src/upstream/policies/detachable-spans.ts'
import { z } from 'zod'
import { testRun } from '../../helpers/call.ts'

const cats = defineUpstream(
  'cats',
  { origin: 'http://127.0.0.1:9' },
  { one: operation({ path: '/', output: z.unknown() }) },
)

/** Spans that write down what they record. */
function written(log: string[], name = 'step'): CallSpans {
  const span: AttemptSpan = { answered: () => {}, failed: () => {} }
  return {
    attemptStarted(_call, number) {
      log.push(`${name}: attempt ${number}`)
      return span
    },
    waited: (step, operationName, reason, ms) => void log.push(`${name}: ${step} ${operationName} ${reason} ${ms}`),
    answerShared: (_call, attempt) => void log.push(`${name}: shared ${attempt === span}`),
    background: step => written(log, `background of ${step}`),
  }
}

test('the spans of a call are those of its step, and after it is detached those of the background', async t => {
  const log: string[] = []
  const spans = new DetachableSpans(written(log))
  const call = testRun().ask(cats.one())
  const span = spans.attemptStarted(call, 1, undefined)
  spans.waited(2, 'cats.one', 'retry', 5)
  spans.answerShared(call, span)
  spans.background(3).attemptStarted(call, 1, undefined)
  spans.detach(2)
  spans.attemptStarted(call, 2, undefined)
  t.same(log, [
    'step: attempt 1',
    'step: 2 cats.one retry 5',
    'step: shared true',
    'background of 3: attempt 1',
    'background of 2: attempt 2',
  ])
})
