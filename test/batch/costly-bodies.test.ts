import { test } from 'tap'
import { z } from 'zod'
import { readBatch } from '../../src/batch/read-batch.ts'
import type { Problem } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { isExact } from '../helpers/timing.ts'
import { offerFor } from './shop.ts'

const costly = defineUpstream(
  'costly',
  { origin: 'http://costly.test' },
  {
    list: operation({
      method: 'POST',
      path: '/list',
      body: z.object({ list: z.array(z.string()) }),
      output: z.object({ text: z.string() }),
      batch: true,
    }),
    named: operation({
      method: 'POST',
      path: '/named',
      body: z.record(z.string(), z.array(z.string())),
      output: z.unknown(),
      batch: true,
    }),
    converted: operation({
      method: 'POST',
      path: '/converted',
      body: z.object({ list: z.array(z.string()), flag: z.stringbool(), any: z.unknown() }),
      output: z.unknown(),
      batch: true,
    }),
  },
)
const offer = offerFor(Object.values(costly))

/** The limit on the CPU time of a body that is read only as far as its faults, in ms. */
const readWithin = isExact ? 100 : 200

/** The problem with which a body is refused, and the least CPU time of three readings in ms. */
function refusal(body: object): { readonly problem: Problem | undefined; readonly ms: number } {
  let problem: Problem | undefined
  let ms = Infinity
  for (let run = 0; run < 3; run++) {
    const before = process.threadCpuUsage()
    try {
      readBatch(offer, body, { maxCalls: 100, headers: {} })
    } catch (error) {
      problem = error as Problem
    }
    const { user, system } = process.threadCpuUsage(before)
    ms = Math.min(ms, (user + system) / 1000)
  }
  return { problem, ms }
}

const fields = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`f${index}`, 0]))
const longName = 'n'.repeat(900_000)
const calls = (input: object, count = 100, others: object = {}) => ({
  calls: Array.from({ length: count }, (_, index) => ({ id: `c${index}`, input, ...others })),
})

for (const [title, body] of Object.entries({
  'unknown fields of a batch': { calls: [], ...fields },
  'unknown fields of a call': { calls: [{ id: 'a', operation: 'costly.list', ...fields }, { id: 'b' }] },
  'references to unknown ids': {
    calls: [
      {
        id: 'a',
        operation: 'costly.named',
        input: { body: { n: Array.from({ length: 900 }, () => ({ $ref: 'b#/data' })) } },
      },
    ],
  },
  'unknown ids of needs': { calls: [{ id: 'a', operation: 'costly.list', needs: Array(250_000).fill('b') }] },
  'wrong items in many inputs': calls({ body: { list: Array(5000).fill(0) } }, 100, { operation: 'costly.list' }),
}))
  test(`a body of 1 MB is read only as far as its faults are reported: ${title}`, async t => {
    const { problem, ms } = refusal(body)
    t.equal(problem?.code, 'INPUT_INVALID')
    t.equal(problem?.faults?.length, 100)
    t.equal(problem?.detail, 'At least 100 of the parts of the batch cannot be read: see errors.')
    t.ok(ms < readWithin, `${ms} ms`)
  })

for (const [title, { operation: name, input }] of Object.entries({
  'broken references': { operation: 'costly.list', input: { [longName]: Array(1000).fill({ $ref: 1 }) } },
  'wrong items': { operation: 'costly.named', input: { body: { [longName]: Array(100).fill(0) } } },
  'references that give other kinds': {
    operation: 'costly.named',
    input: { body: { [longName]: Array.from({ length: 900 }, () => ({ $ref: 'c0#/data/text/0' })) } },
  },
}))
  test(`the faults below a long name are not 100 times as large as the body: ${title}`, async t => {
    const first = { id: 'c0', operation: 'costly.list', input: { body: { list: [] } } }
    const { problem, ms } = refusal({ calls: [first, { id: 'c1', operation: name, input }] })
    const size = JSON.stringify(problem?.faults).length
    t.ok(size > 900_000 && size < 2_500_000, `${size} characters`)
    t.match(problem?.detail, /^At least [12] of the parts/)
    t.ok(ms < 200, `${ms} ms`)
  })

test('references below a long name take little time if they have no fault', async t => {
  const items = Array.from({ length: 900 }, () => ({ $ref: 'c0#/data/text' }))
  const { problem, ms } = refusal({
    calls: [
      { id: 'c0', operation: 'costly.list', input: { body: { list: [] } } },
      { id: 'c1', operation: 'costly.named', input: { body: { [longName]: items } } },
    ],
  })
  t.equal(problem, undefined)
  t.ok(ms < 100, `${ms} ms`)
})

test('all inputs of a batch share the number of faults that are searched, also of faults that do not count', async t => {
  // The schema converts, so a fault may be due to the reference, and the batch is not refused.
  const input = { body: { list: Array(2000).fill(0), flag: 'yes', any: { $ref: 'a#/data/text' } } }
  const { problem, ms } = refusal({
    calls: [
      { id: 'a', operation: 'costly.list', input: { body: { list: [] } } },
      ...calls(input, 99, { operation: 'costly.converted' }).calls,
    ],
  })
  t.equal(problem, undefined)
  t.ok(ms < 150, `${ms} ms`)
})
