import tap, { test } from 'tap'
import { startService } from '../../helpers/service-process.ts'

// The service starts several processes.
tap.setTimeout(120_000)

test('the calls of a batch count at all workers, with one message per batch', async t => {
  const { origin, said } = await startService(t, { HEADWATERS_WORKERS: '2', RATE_LIMIT: '10' })
  await said('serving')
  const calls = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `c${index}`, operation: 'catfact-ninja.fact' }))
  const send = async (count: number) => {
    const response = await fetch(`${origin}/v1/batch`, {
      method: 'POST',
      // Each connection is that of another worker.
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ calls: calls(count) }),
    })
    await response.text()
    return response.status
  }
  t.equal(await send(4), 200)
  t.equal(await send(4), 200)
  t.equal(await send(3), 429, '11 of 10')
})
