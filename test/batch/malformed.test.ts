import { test } from 'tap'
import { startBatch } from '../../src/batch/start-batch.ts'
import type { BatchReply } from '../../src/batch/result.ts'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { malformed } from './malformed.ts'
import { shopAnswer, shopAt } from './shop.ts'

const { offer } = shopAt('http://shop.test')

function answer(path: string): unknown {
  const value = shopAnswer(path)
  if (value === undefined) throw new UpstreamError('UPSTREAM_BUSY', 'shop', { upstreamStatus: 503 })
  return value
}

function refusal(body: unknown, isReadOnly: boolean): Problem | undefined {
  const runtime = answeringRuntime(answer)
  try {
    startBatch(offer, body, { runtime, deadline: 1000, headers: {}, maxCalls: 100, isReadOnly })
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  return undefined
}

for (const each of malformed) {
  if (each.kind === 'refused')
    test(`the batch is refused with all its faults: ${each.title}`, async t => {
      const problem = refusal(each.body, each.method === 'QUERY')
      t.equal(problem?.statusCode, 400)
      t.equal(problem?.code, 'INPUT_INVALID')
      const found = (problem?.faults ?? []).map(({ pointer, reason }) => `${pointer} ${reason}`)
      t.equal(found.length, each.faults.length, found.join('\n'))
      for (const [pointer, reason] of each.faults)
        t.ok(
          problem?.faults?.some(fault => fault.pointer === pointer && reason.test(fault.reason)),
          `${pointer} ${reason} in ${found.join('; ')}`,
        )
    })
  if (each.kind === 'answered')
    test(`the batch is answered: ${each.title}`, async t => {
      const runtime = answeringRuntime(answer)
      const batch = startBatch(offer, each.body, { runtime, deadline: 1000, headers: {}, maxCalls: 100 })
      const { text, complete } = await batch.start()
      const { results } = JSON.parse(text) as BatchReply
      t.same(
        Object.fromEntries(
          results.map(result => [
            result.id,
            'problem' in result ? [result.status, (result.problem as { readonly code: string }).code] : [result.status],
          ]),
        ),
        each.results,
      )
      t.equal(complete, false)
      t.notMatch(text, /__proto__/)
    })
}

test('the table has at least 50 bodies, each with a title of its own', async t => {
  t.ok(malformed.length >= 50, `${malformed.length} bodies`)
  t.equal(new Set(malformed.map(({ title }) => title)).size, malformed.length)
})
