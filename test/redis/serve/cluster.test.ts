import { once } from 'node:events'
import { Cluster } from 'ioredis'
import { test } from 'tap'
import { clusterOptions } from '../../../src/redis/serve/ioredis-options.ts'
import { failure } from '../../helpers/failure.ts'
import { redisMissing } from '../../helpers/redis.ts'
import { startCluster } from '../../helpers/redis-cluster.ts'
import { elapsed, until } from '../../helpers/until.ts'

const skip = redisMissing

test('a cluster sends no command again whose connection closes before the reply', { skip }, async t => {
  const server = await startCluster(t)
  const nodes = [{ host: '127.0.0.1', port: server.port }]
  const options = { nodes, retryDelayOnFailover: 100, retryDelayOnClusterDown: 100 }
  const cluster = new Cluster(nodes, clusterOptions({ options, prefix: 'a', patienceMs: 50 }))
  cluster.on('error', () => {})
  t.teardown(() => cluster.disconnect())
  await cluster.connect()
  t.equal(await cluster.incr('count'), 1)
  await server.stop('SIGSTOP')
  const sent = failure(cluster.incr('count'))
  const [node] = cluster.nodes('master')
  // The command is in the buffer of the stopped server.
  node?.stream.destroy()
  const ready = once(cluster, 'ready')
  await server.stop('SIGCONT')
  t.match(await sent, { message: 'Connection is closed.' })
  await ready
  await until(async () => (await cluster.get('count')) === '2')
  await elapsed(500)
  t.equal(await cluster.get('count'), '2')
})
