import { test } from 'tap'
import { factBody } from '../../bench/compare/workload/fact-body.ts'
import { Fact } from '../../bench/compare/workload/fact.ts'

for (const filler of ['fields', 'string'] as const) {
  test(`bodies of ${filler} have the size that was asked for and are what the schema says`, async t => {
    for (const bytes of [40, 110, 123, 240, 300, 1000, 10_240, 1_048_576]) {
      const body = factBody(bytes, filler)
      t.ok([bytes, bytes + 1].includes(body.length), `${bytes}: ${body.length}`)
      const fact = Fact.strict().parse(JSON.parse(body))
      t.equal(fact.fact.length, fact.length)
    }
  })
}

test('a small body is a fact alone, and a large one many fields or one long string', async t => {
  t.equal(factBody(110, 'fields'), factBody(110, 'string'))
  const { fact, details = [] } = Fact.parse(JSON.parse(factBody(10_240, 'fields')))
  t.ok(details.length > 80)
  t.ok(fact.length < 250)
  t.ok(Fact.parse(JSON.parse(factBody(10_240, 'string'))).length > 10_000)
})
