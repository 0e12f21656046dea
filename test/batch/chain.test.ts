import { test } from 'tap'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'
import { turn } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'
import { shopAt } from './shop.ts'
import { started } from './started.ts'

const [rows, columns, concurrency] = [10, 10, 4]
const idOf = (column: number, row: number) => `c${column}-${row}`

/** Each call of a column takes its input from the call above it. */
const calls = Array.from({ length: rows }, (_, row) =>
  Array.from({ length: columns }, (_, column) => ({
    id: idOf(column, row),
    operation: 'shop.item',
    input: { id: row === 0 ? `${column}.0` : { $ref: `${idOf(column, row - 1)}#/data/note` } },
  })),
).flat()

test('100 calls in 10 chains keep their order and the bound of their upstream', async t => {
  const open: Asked[] = []
  let most = 0
  const { origin, log } = await httpUpstream(t, asked => {
    open.push(asked)
    most = Math.max(most, open.length)
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { reply, arrived } = started(shopAt(origin, { concurrency }).offer, calls, runtime)

  // The upstream answers the newest request first, and none before as many are there as the bound permits.
  for (let left: number = columns; left > 0;) {
    await until(() => open.length >= Math.min(concurrency, left), { seen: () => [open.length, log.length] })
    // A call above the bound would arrive now.
    await turn()
    const { request, json } = open.pop() as Asked
    const [column = '', row = ''] = (request.url ?? '').slice('/items/'.length).split('.')
    json({ id: `${column}.${row}`, price: 1, sizes: [], note: `${column}.${Number(row) + 1}` })
    if (Number(row) === rows - 1) left--
  }
  const { results, complete } = await reply
  t.equal(complete, true)
  t.same(
    results.map(({ id, data }) => [id, (data as { readonly id: string }).id]),
    calls.map(({ id }) => [id, id.slice(1).replace('-', '.')]),
    'in the order of the calls, each with the value of the call above it',
  )
  t.equal(most, concurrency, 'the bound is reached, and never exceeded')
  for (let column = 0; column < columns; column++)
    t.same(
      log.filter(line => line.startsWith(`GET /items/${column}.`)),
      Array.from({ length: rows }, (_, row) => `GET /items/${column}.${row}`),
      `column ${column} arrived in its order`,
    )
  t.not(arrived.map(({ id }) => id).join(), results.map(({ id }) => id).join(), 'the results arrived in another order')
})
