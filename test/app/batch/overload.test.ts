import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import { until } from '../../helpers/until.ts'
import { batchApp, hello, prices } from './helpers/batch-app.ts'

const pressure = { runs: 10, loopDelay: 0, heapPercent: 0, memoryPercent: 0 }

test('a batch counts as one run, however many calls it has', async t => {
  const { send, upstream } = await batchApp(t, { script: () => {}, options: { pressure } })
  const pending = Array.from({ length: 9 }, () => send(prices(3), { headers: { 'x-request-timeout-ms': '1000' } }))
  await upstream.asked(27)
  isProblem(t, await send<ProblemBody>(prices(1)), 503, 'OVERLOADED')
  t.same(
    (await Promise.all(pending)).map(({ status }) => status),
    pending.map(() => 200),
  )
  t.equal((await send(prices(1), { headers: { 'x-request-timeout-ms': '10' } })).status, 200, 'the runs have ended')
})

test('under load batches are refused before single requests', async t => {
  const { promise: opened, resolve: open } = Promise.withResolvers<number>()
  const held = aggregate('held', { url: '/held', deadline: 60_000 })
    .required('one', () => opened)
    .reply(z.number(), ({ one }) => one)
  let started = 0
  const { ask, send } = await batchApp(t, {
    aggregates: [hello, held],
    options: {
      pressure,
      onEvent: ({ type, run }) => {
        if (type === 'run started' && run.aggregate === 'held') started++
      },
    },
  })
  const runs = Array.from({ length: 8 }, () => ask('/held'))
  await until(() => started === 8)
  t.equal((await send(prices(2))).status, 200, 'at 80 % of the runs')
  runs.push(ask('/held'))
  await until(() => started === 9)
  const refused = await send<ProblemBody>(prices(2))
  isProblem(t, refused, 503, 'OVERLOADED')
  t.equal(refused.headers.get('retry-after'), '1')
  isProblem(t, await send<ProblemBody>(prices(2), { method: 'QUERY' }), 503, 'OVERLOADED')
  t.equal((await ask('/hello?name=Ada')).status, 200, 'at 90 % of the runs')
  open(1)
  t.same(
    (await Promise.all(runs)).map(({ status }) => status),
    runs.map(() => 200),
  )
})
