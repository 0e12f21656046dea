import { test } from 'tap'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { Any, lost, taken, three } from '../helpers/snapshotted.ts'
import { streamed, type Streamed } from '../helpers/streamed.ts'
import { rest } from '../helpers/turn.ts'

const busy = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** The times between the snapshots of a run, in ms. */
function gaps({ events }: Streamed): number[] {
  const times = events.flatMap(event => (event.event === 'snapshot' ? [event.at] : []))
  return times.slice(1).map((time, index) => time - (times[index] as number))
}

test('snapshots are at least 50 ms apart, even if a value arrives late in a long turn', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order, rating, stock }) => [order, rating, stock]),
    { runtime },
  )
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  // The timer of the next snapshot counts from the start of this turn.
  busy(30)
  runtime.at('/rating').answer(2)
  await taken(stream, 2)
  t.ok((gaps(stream)[0] as number) >= 50, `${gaps(stream)[0]} ms`)
  stream.run.cancel(lost)
})

test('the next snapshot waits for ten times the time that the last one took', async t => {
  const runtime = heldRuntime()
  const described = three.reply(Any, ({ order, rating }) => {
    busy(12)
    return [order, rating]
  })
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  runtime.at('/rating').answer(2)
  await taken(stream, 2)
  t.ok((gaps(stream)[0] as number) >= 120, `${gaps(stream)[0]} ms`)
  stream.run.cancel(lost)
})

test('a reader that is behind gets one snapshot with all values when it has caught up', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order, rating, stock }) => [order, rating, stock]),
    { runtime },
  )
  stream.acceptsSnapshots = false
  stream.snapshots.resume()
  runtime.at('/order').answer(1)
  await rest()
  runtime.at('/rating').answer(2)
  await rest()
  t.same(stream.data, [])
  stream.acceptsSnapshots = true
  stream.snapshots.resume()
  await taken(stream, 1)
  t.same(stream.data, [[1, 2, 0]])
  stream.run.cancel(lost)
})
