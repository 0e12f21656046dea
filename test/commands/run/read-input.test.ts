import { test } from 'tap'
import { readInput, type InputArguments } from '../../../src/commands/run/read-input.ts'
import { UsageError } from '../../../src/commands/usage-error.ts'
import type { AnyAggregate } from '../../../src/fanout/aggregate.ts'
import { breed } from '../../../src/routes/breed.ts'
import { catFacts } from '../../../src/routes/cat-facts.ts'
import { postcard } from '../../../src/routes/postcard.ts'

const read = (aggregate: AnyAggregate, given: Partial<InputArguments>) =>
  readInput(aggregate, { fields: {}, body: undefined, headers: [], folder: '', ...given })

function said(aggregate: AnyAggregate, given: Partial<InputArguments>): string {
  try {
    read(aggregate, given)
  } catch (error) {
    if (error instanceof UsageError) return error.message
  }
  return 'nothing'
}

test('each field goes where the aggregate declares it', async t => {
  t.same(read(breed, { fields: { breed: ['siamese'], facts: ['2'] } }), {
    params: { breed: 'siamese' },
    query: { facts: '2' },
    headers: {},
  })
})

test('a repeated field is a list', async t => {
  t.same(read(catFacts, { fields: { count: ['1', '2'] } }).query, { count: ['1', '2'] })
})

test('headers are read by name, in lower case', async t => {
  t.same(read(catFacts, { headers: ['X-Trace: a:b', 'empty:'] }).headers, { 'x-trace': 'a:b', empty: '' })
})

test('a body is JSON, given here or in a file', async t => {
  const order = { greeting: 'Hi', breeds: ['siam'] }
  const folder = t.testdir({ 'order.json': JSON.stringify(order) })
  t.same(read(postcard, { body: JSON.stringify(order) }).body, order)
  t.same(read(postcard, { body: `@${folder}/order.json` }).body, order)
})

test('an invalid argument is refused with the valid ones', async t => {
  const refused = [
    [catFacts, { fields: { cuont: ['3'] } }, "aggregate 'cat-facts' has no field --cuont: did you mean '--count'?"],
    [
      catFacts,
      { fields: { zzzzzzzz: ['3'] } },
      "aggregate 'cat-facts' has no field --zzzzzzzz: use --count, --max_length",
    ],
    [postcard, { fields: { greeting: ['x'] } }, "aggregate 'postcard' has no field --greeting: it has no fields"],
    [catFacts, { body: '{}' }, "aggregate 'cat-facts' takes no body: remove --body"],
    [postcard, { body: '{"greeting"' }, '--body must be JSON: '],
    [postcard, { body: '@/nowhere/at/all.json' }, '--body @/nowhere/at/all.json: cannot read the file: ENOENT'],
    [catFacts, { headers: ['nocolon'] }, "--header must be 'name: value', got 'nocolon'"],
  ] as const
  for (const [aggregate, given, words] of refused) t.match(said(aggregate, given), words)
})
