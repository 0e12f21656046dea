import { Readable } from 'node:stream'
import { test } from 'tap'
import { checkResults } from '../../../bench/scenarios/bulk/crashes/check-results.ts'

const line = (index: number, value = String(index), status = 200) => `${JSON.stringify({ index, status, value })}\n`
const check = (lines: readonly string[], items: number) => checkResults(Readable.from(lines), items)

test('results with each item once have no fault', async t => {
  t.same(await check([line(0), line(1), line(2)], 3), { duplicates: 0, missing: 0, wrong: 0 })
})

test('missing, repeated and wrong results are counted', async t => {
  t.same(await check([line(0), line(0), line(3)], 4), { duplicates: 1, missing: 2, wrong: 0 })
  t.same(await check([line(0, '1'), line(1, '1', 503), line(2)], 2), { duplicates: 0, missing: 0, wrong: 3 })
})
