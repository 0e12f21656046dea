import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'

/** undici's own timer rings at 500 ms at the earliest, and up to a second after that. */
const slack = process.env['HEADWATERS_TEST_TIMING'] === '1' ? 50 : 300

async function mute (t: Test): Promise<number> {
  const server = createServer(socket => {
    socket.on('error', () => {}).resume()
    t.teardown(() => socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

test('a connection that takes too long is given up at its moment', async t => {
  const port = await mute(t)
  const aloof = defineUpstream('aloof', { origin: `https://127.0.0.1:${port}`, connectTimeout: 100, timeout: 5000, retry: false }, { ask: operation({ path: '/', output: z.unknown() }) })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = testRun()
  const before = performance.now()
  t.match(await failure(runtime.send(run.ask(aloof.ask()))), { code: 'UPSTREAM_UNREACHABLE' })
  const elapsed = performance.now() - before
  t.ok(elapsed > 98 && elapsed < 100 + slack, `given up after ${elapsed.toFixed(0)} ms`)
  t.match(runtime.stats(), { aloof: { active: 0 } })
})
