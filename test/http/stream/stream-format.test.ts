import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { readEventId } from '../../../src/http/stream/event-id.ts'
import { resumedStream } from '../../../src/http/stream/resumption.ts'
import { streamFormat } from '../../../src/http/stream/stream-format.ts'

const run = randomUUID()

test('lines have no head, no id and no heartbeat', async t => {
  for (const type of ['ndjson', 'jsonl'] as const) {
    const format = streamFormat(type, { run, attempt: 1 })
    t.equal(format.head, '')
    t.equal(format.heartbeat, undefined)
    t.equal(format.frame('plan', 1, '{}'), '{}\n')
  }
})

test('the id of a server-sent event has the run, the attempt and the end', async t => {
  const format = streamFormat('sse', { run, attempt: 2 })
  const idOf = (frame: string) => readEventId(/^id: (.*)$/m.exec(frame)?.[1] ?? '')
  t.same(idOf(format.frame('plan', 1, '{}')), { run, attempt: 2, isEnd: false })
  t.same(idOf(format.frame('reply', 'end', '{}')), { run, attempt: 2, isEnd: true })
})

test('a stream that was cut is repeated once, and an end is not repeated', async t => {
  const next = randomUUID()
  t.same(resumedStream(undefined, next), { run: next, attempt: 1 })
  t.same(resumedStream(`${run}.1.3`, next), { run, attempt: 2 })
  t.equal(resumedStream(`${run}.1.end`, next), undefined)
  t.equal(resumedStream(`${run}.2.3`, next), undefined)
  t.equal(resumedStream(`${run}.2.end`, next), undefined)
  for (const other of ['', '7', `${run}.3.1`, 'an id of another service'])
    t.same(resumedStream(other, next), { run: next, attempt: 1 }, other)
})
