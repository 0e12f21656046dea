import { test } from 'tap'
import type { RunSpans } from '../../src/upstream/call/spans.ts'
import { Problem } from '../../src/errors.ts'
import { startRunSpans } from '../../src/otel/run-spans.ts'
import { startBatch } from '../../src/batch/start-batch.ts'
import { requestTrace } from '../../src/trace/request-trace.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { registerTracing } from '../helpers/tracing.ts'
import { shopAnswer, shopAt } from './shop.ts'

const { offer } = shopAt('http://shop.test')
const options = { runtime: answeringRuntime(shopAnswer), deadline: 1000, headers: {}, maxCalls: 10 }

test('a batch has one span, with a span for each call and the spans of its aggregates within', async t => {
  const { tree, named } = registerTracing(t)
  let spans: RunSpans | undefined
  const batch = startBatch(
    offer,
    {
      calls: [
        { id: 'a', operation: 'shop.item', input: { id: '1' } },
        { id: 'b', operation: 'cart', input: { params: { user: { $ref: 'a#/data/id' } } } },
      ],
    },
    {
      ...options,
      spans: described => (spans = startRunSpans(described, requestTrace({}, 100))),
    },
  )
  t.equal(batch.trace, spans?.trace)
  t.equal((await batch.start()).complete, true)
  spans?.end(200)
  t.same(
    tree(() => ''),
    ['aggregate batch', '  step a', '  step b', '    aggregate cart', '      step first', '      step quote'],
  )
  t.equal(named('aggregate batch')[0]?.attributes['headwaters.outcome'], 'complete')
})

test('a batch that is refused ends its span as failed', async t => {
  const { named } = registerTracing(t)
  t.throws(
    () =>
      startBatch(
        offer,
        {},
        {
          ...options,
          spans: described => {
            const spans = startRunSpans(described, requestTrace({}, 100))
            spans?.end(400)
            spans?.runStarted()
            spans?.end(400)
            return spans
          },
        },
      ),
    Problem,
  )
  t.equal(named('aggregate batch').length, 1)
})
