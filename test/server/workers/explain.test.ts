import tap, { test } from 'tap'
import type { Explanation } from '../../../src/explain/explanation.ts'
import { until } from '../../helpers/until.ts'
import { definitions, get, twoWorkers } from './helpers/two-workers.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

test('the primary explains with the present state and the present definitions of a worker', async t => {
  const { admin, askTimes, define, stop, said } = await twoWorkers(t)
  await askTimes('/ask', 2)
  const { status, body } = await admin<Explanation>('/explain/ask')
  t.equal(status, 200)
  t.match(body, {
    aggregate: 'ask',
    steps: [{ name: 'it', calls: [{ operation: 'source.ask', path: '/' }] }],
    upstreams: { source: { now: { breaker: 'closed' } } },
  })
  t.match(await admin('/explain/asks'), { status: 404, body: { code: 'NOT_FOUND', detail: /did you mean 'ask'\?/ } })
  t.match(await admin('/explain/ask?value.other=1'), {
    status: 400,
    body: { code: 'INPUT_INVALID', errors: [{ pointer: '/query/value.other' }] },
  })
  define(definitions({ name: 'next' }))
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.match(await admin('/explain/next'), { status: 200, body: { aggregate: 'next' } })
  t.match(await admin('/explain/ask'), { status: 404 })
  const list = await admin<{ aggregates: { name: string }[] }>('/explain')
  t.ok(list.body.aggregates.some(({ name }) => name === 'next'))
})

test('after a reload, the new definitions are explained', async t => {
  const { admin, define, stop, said } = await twoWorkers(t)
  define(definitions({ name: 'next' }))
  stop('SIGHUP')
  await said('definitions reloaded')
  t.match(await admin('/explain/next'), { status: 200, body: { aggregate: 'next' } })
  t.match(await admin('/explain/ask'), { status: 404 })
})

test('a step that blocks the worker that explains it blocks neither the primary nor the other worker', async t => {
  const { admin, adminPort, port } = await twoWorkers(t)
  const since = performance.now()
  const stalled = admin('/explain/stall')
  await until(async () => {
    t.equal((await get(adminPort, '/health/live')).status, 200)
    return performance.now() - since > 500
  })
  t.match(await stalled, { status: 503, body: { code: 'OVERLOADED', detail: 'Worker 1 did not answer: ask again.' } })
  const ms = performance.now() - since
  t.ok(ms < 5500, `answered after ${Math.round(ms)} ms`)
  t.match(await admin('/explain/ask'), { status: 200 }, 'by the other worker')
  await until(async () => (await get(port, '/one')).status === 200)
})
