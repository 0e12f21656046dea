import type { Test } from 'tap'
import { quietPort } from './quiet-port.ts'
import { startRedis, type RedisServer } from './redis.ts'
import { until } from './until.ts'

/** Starts a cluster of one node that has all slots. */
export async function startCluster(t: Test): Promise<RedisServer & { readonly port: number }> {
  const server = await startRedis(t, {
    tcp: true,
    config: ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1', `cluster-port ${await quietPort()}`],
  })
  const client = await server.client(t)
  await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  await until(async () => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  return server as RedisServer & { readonly port: number }
}
