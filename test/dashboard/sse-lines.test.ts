import fc from 'fast-check'
import { test } from 'tap'
import { readEvents } from '../../src/dashboard/model/sse-lines.ts'

/** Returns the events of a stream that comes in these pieces. */
function eventsOf(...pieces: readonly string[]): string[] {
  const events: string[] = []
  const take = readEvents((type, data) => events.push(`${type}: ${data}`))
  for (const piece of pieces) take(piece)
  return events
}

test('an event is read with its type and its data', async t => {
  t.same(eventsOf('event: sample\ndata: {"at":1}\n\n'), ['sample: {"at":1}'])
  t.same(eventsOf('data:a\n\n'), ['message: a'], 'the space after the colon and the type may be absent')
  t.same(eventsOf('data: a\ndata: b\n\n'), ['message: a\nb'], 'lines of data are joined')
  t.same(eventsOf('event: a\r\ndata: b\r\n\r\n'), ['a: b'], 'a line may end with CR LF')
})

test('comments, ids and events without data are dropped', async t => {
  t.same(eventsOf(':\n\nid: boot.1\nretry: 5\nevent: bye\n\n', 'event: runs\ndata: 1\n\n'), ['runs: 1'])
})

test('an event that has not ended is not read', async t => {
  t.same(eventsOf('event: sample\ndata: 1\n'), [])
})

test('the pieces in which a stream of events comes do not change the events', async () => {
  const event = fc.record({
    type: fc.constantFrom('hello', 'sample', 'runs'),
    data: fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !text.includes('\n') && !text.includes('\r')),
  })
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.nat()), (events, cuts) => {
      const text = events.map(({ type, data }) => `event: ${type}\ndata: ${data}\n\n`).join('')
      const places = cuts.map(cut => cut % (text.length + 1)).toSorted((a, b) => a - b)
      const pieces = [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length))
      const expected = events.map(({ type, data }) => `${type}: ${data}`)
      return JSON.stringify(eventsOf(...pieces)) === JSON.stringify(expected)
    }),
  )
})

test('an event without an end is refused before it exhausts the memory', async t => {
  const piece = 'a'.repeat(2 ** 24)
  const take = readEvents(() => {})
  for (let left = 3; left > 0; left--) take(piece)
  take('a'.repeat(2 ** 24 - 1))
  t.throws(() => take('aa'), RangeError)
  const lines = readEvents(() => {})
  t.throws(() => {
    for (let left = 6; left > 0; left--) lines(`data: ${piece}\n`)
  }, RangeError)
})
