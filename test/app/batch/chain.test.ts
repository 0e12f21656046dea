import { test } from 'tap'
import { turn } from '../../helpers/turn.ts'
import { batchApp } from './helpers/batch-app.ts'
import { json } from '../../helpers/raw-upstream.ts'

const [columns, rows, concurrency] = [10, 10, 4]

/** The calls of ten columns, the last row first. Each call refers to the call above it. */
const calls = Array.from({ length: columns * rows }, (_, index) => {
  const [row, column] = [rows - 1 - Math.floor(index / columns), index % columns]
  return {
    id: `r${row}c${column}`,
    operation: 'shop.price',
    input: { id: row === 0 ? `${column}-0` : { $ref: `r${row - 1}c${column}#/data/id` } },
  }
})

test('100 calls in 10 chains of 10 are sent in order, and at most as many at a time as the upstream allows', async t => {
  let [inFlight, most] = [0, 0]
  const arrived: string[] = []
  const { send, upstream } = await batchApp(t, {
    shop: { concurrency, breaker: false },
    batch: { deadline: 60_000 },
    script: async (socket, { path }) => {
      const id = path.slice('/prices/'.length)
      arrived.push(id)
      most = Math.max(most, ++inFlight)
      // Other calls arrive while this one is in flight.
      for (let turns = 0; turns < 20; turns++) await turn()
      inFlight--
      const [column, row] = id.split('-').map(Number) as [number, number]
      socket.write(json({ id: `${column}-${row + 1}`, cents: row }))
    },
  })
  const { status, body } = await send({ calls })
  t.equal(status, 200)
  t.same(
    body.results.map(({ id }) => id),
    calls.map(({ id }) => id),
    'the results are in the order of the calls',
  )
  t.ok(body.complete)
  for (const result of body.results) {
    const [row, column] = result.id.slice(1).split('c').map(Number) as [number, number]
    t.match(result, { state: 'ok', status: 200, data: { id: `${column}-${row + 1}`, cents: row } })
  }
  t.equal(upstream.requests.length, columns * rows)
  t.equal(most, concurrency)
  for (let column = 0; column < columns; column++)
    t.same(
      arrived.filter(id => id.startsWith(`${column}-`)),
      Array.from({ length: rows }, (_, row) => `${column}-${row}`),
      `column ${column} arrived in order`,
    )
})
