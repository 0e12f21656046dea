import { test } from 'tap'
import { z } from 'zod'
import { readBatchOptions, type BatchOptions } from '../../../src/http/batch/batch-options.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'

const { order } = defineUpstream(
  'shop',
  { origin: 'http://127.0.0.1' },
  {
    order: operation({ path: '/orders', output: z.null(), batch: true }),
  },
)

test('the limits of batches have defaults', async t => {
  t.same(readBatchOptions('app'), {
    operations: [],
    maxCalls: 100,
    bodyBytes: 1024 * 1024,
    deadline: 5000,
    maxReplyBytes: 16 * 1024 * 1024,
  })
  t.match(readBatchOptions('app', { operations: [order], maxCalls: 1 }, 10), {
    operations: [order],
    maxCalls: 1,
    bodyBytes: 10,
  })
  t.equal(readBatchOptions('app', false), false)
})

test('a wrong limit of batches is refused with its bounds', async t => {
  const refused: readonly (readonly [unknown, string])[] = [
    [{ maxCalls: 1001 }, 'app: batch.maxCalls must be a whole number from 1 to 1000, got 1001'],
    [{ bodyBytes: 0 }, 'app: batch.bodyBytes must be a whole number of bytes from 1 to 2147483647, got 0'],
    [{ deadline: 0 }, 'app: batch.deadline must be a whole number of ms from 1 to 2147483647, got 0'],
    [{ maxReplyBytes: 0 }, 'app: batch.maxReplyBytes must be a whole number of bytes from 1 to 2147483647, got 0'],
    [
      { operations: order },
      'app: batch.operations must be a list of operations: batch: { operations: [catfactNinja.fact] }',
    ],
    [{ calls: 1 }, /^app: unknown option 'batch.calls': use operations, maxCalls, /],
    [true, /^app: batch must be an object with some of operations, /],
  ] as never
  for (const [options, message] of refused)
    t.throws(() => readBatchOptions('app', options as BatchOptions), { name: 'TypeError', message })
})
