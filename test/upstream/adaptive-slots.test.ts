import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'

/** An upstream that works at so many calls at once, each for some ms, and answers 503 to one more. */
async function upstreamThatTakes (t: Test, capacity: number) {
  const seen = { capacity, busy: 0, answered: 0, refused: 0, busySum: 0 }
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    if (seen.busy >= seen.capacity) {
      seen.refused++
      response.writeHead(503).end('{}')
      return
    }
    seen.busySum += ++seen.busy
    seen.answered++
    setTimeout(() => {
      seen.busy--
      response.end('{}')
    }, 10)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('an upstream that answers 503 beyond so many calls at once is soon asked so many, fewer and more', async t => {
  const { seen, origin } = await upstreamThatTakes(t, 10)
  const limited = defineUpstream('limited', { origin, slots: 'adaptive', queue: 1000, timeout: 20_000 }, { ask: operation({ path: '/', output: z.unknown() }) })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())

  /** Sixty callers who ask again as soon as they have an answer. */
  async function ask (calls: number): Promise<void> {
    let left = calls
    await Promise.all(Array.from({ length: 60 }, async () => {
      while (left-- > 0) await runtime.send(testRun().ask(limited.ask())).catch(() => {})
    }))
  }

  for (const capacity of [10, 4, 30]) {
    seen.capacity = capacity
    await ask(60 * capacity)
    Object.assign(seen, { answered: 0, refused: 0, busySum: 0 })
    await ask(60 * capacity)
    const { slots } = runtime.stats()['limited'] ?? { slots: 0 }
    const refused = seen.refused / (seen.answered + seen.refused)
    const busy = seen.busySum / seen.answered
    t.comment(`capacity ${capacity}: ${slots} slots, ${busy.toFixed(1)} busy on average, ${(refused * 100).toFixed(1)} % refused`)
    t.ok(slots >= capacity * 0.7 && slots <= capacity + 2, `${slots} slots for a capacity of ${capacity}`)
    t.ok(busy >= capacity * 0.4, `${busy.toFixed(1)} of ${capacity} are busy`)
    t.ok(refused <= 0.3, `${(refused * 100).toFixed(1)} % are refused`)
  }
})
