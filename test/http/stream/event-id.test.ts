import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { readEventId, writeEventId } from '../../../src/http/stream/event-id.ts'

const run = '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10'

test('an event id is read as it was written', async t => {
  const random = randomUUID()
  t.equal(writeEventId(run, 1, 7), `${run}.1.7`)
  t.same(readEventId(writeEventId(random, 1, 1)), { run: random, attempt: 1, isEnd: false })
  t.same(readEventId(writeEventId(random, 2, 999_999_999)), { run: random, attempt: 2, isEnd: false })
  t.same(readEventId(writeEventId(random, 2, 'end')), { run: random, attempt: 2, isEnd: true })
})

test('a text that is not an id of a stream is not read', async t => {
  for (const text of [
    '',
    run,
    `${run}.1`,
    `${run}.1.`,
    `${run}.1.0`,
    `${run}.1.01`,
    `${run}.1.-1`,
    `${run}.1.1e3`,
    `${run}.1.1234567890`,
    `${run}.1.END`,
    `${run}.1.end.`,
    `${run}.1.end.1`,
    `${run}.0.1`,
    `${run}.3.1`,
    `${run}.01.1`,
    ` ${run}.1.1`,
    `${run.toUpperCase()}.1.1`,
    `${run.slice(1)}.1.1`,
    `${run.replace('-', '0')}.1.1`,
    `${run.replace('7', 'g')}.1.1`,
    `${run.replaceAll('-', '')}.1.1`,
    '7',
    '.'.repeat(100_000),
  ])
    t.equal(readEventId(text), undefined, text.slice(0, 60))
})
