import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'

test('a call aborted while its connection opens holds its permit until that has ended, so that later calls wait in the queue', async t => {
  // Takes connections and never shakes hands.
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const mute = defineUpstream(
    'mute',
    { origin: `https://127.0.0.1:${port}`, concurrency: 1, maxQueue: 1, attemptTimeout: 40, connectTimeout: 300 },
    {
      ask: operation({ path: '/', output: z.unknown() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(async () => {
    await runtime.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const ask = () => {
    const run = testRun()
    return failure(runtime.send(run.ask(mute.ask())))
  }
  t.match(await ask(), { code: 'UPSTREAM_TIMEOUT' })
  t.match(runtime.stats(), { mute: { active: 1, queued: 0 } }, 'the caller has its error, and the permit is still held')
  const second = ask()
  t.match(runtime.stats(), { mute: { active: 1, queued: 1 } }, 'the next call waits in the queue')
  t.match(await ask(), { code: 'BULKHEAD_FULL' }, 'and one more is refused at once')
  t.match(await second, { code: 'UPSTREAM_TIMEOUT' }, 'the permit was released when the connection was cancelled')
})
