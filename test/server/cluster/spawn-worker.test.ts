import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'tap'
import { createRedispatcher } from '../../../src/server/cluster/redispatch.ts'
import { spawnWorker } from '../../../src/server/cluster/spawn-worker.ts'

test('a message that cannot be sent to a worker is not taken for its end', async t => {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'helpers/idle.mjs'), args: [] })
  const task = {
    index: 0,
    count: 1,
    host: '127.0.0.1',
    port: 0,
    demoUpstreams: undefined,
    mark: 'a',
    heartbeatMs: 0,
    service: 'b',
  }
  const spawned = spawnWorker(task, {
    omittedVariables: [],
    closeMs: 2000,
    count: () => ({ current: 1, ttl: 1 }),
    trackWorker: createRedispatcher(),
    onSeries: () => {},
    onOverview() {},
    render: async () => '',
    onSilent: () => {},
  })
  t.teardown(() => spawned.kill())
  const [worker] = Object.values(cluster.workers ?? {})
  if (worker === undefined) return t.fail('none was started')
  await once(worker, 'online')
  worker.process.disconnect()
  const failed = once(worker, 'error')
  // Without a callback, as node:cluster sends connections.
  worker.process.send('a message')
  t.match(await failed, [{ code: 'ERR_IPC_CHANNEL_CLOSED' }])
  t.same(await spawned.exited, { code: 0, signal: null })
})
