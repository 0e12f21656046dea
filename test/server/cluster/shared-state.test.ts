import tap, { test } from 'tap'
import { keysOf } from '../../../src/redis/commands/keys.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { until } from '../../helpers/until.ts'
import { workersService } from './helpers/workers-service.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

test(
  'the workers of a service are one replica, and share a rate limit with another',
  { skip: redisMissing },
  async t => {
    const server = await startRedis(t, { tcp: true })
    const client = await server.client(t)
    const environment = { HEADWATERS_REDIS_URL: server.url, RATE_LIMIT: '8' }
    const [first, second] = await Promise.all([workersService(t, { environment }), workersService(t, { environment })])
    let members: string[] = []
    await until(async () => (members = await client.zrange(keysOf('headwaters').members, '0', '-1')).length === 4)
    const services = members.map(member => member.slice(0, member.indexOf('/')))
    t.equal(new Set(services).size, 2)
    const statuses: number[] = []
    for (let request = 0; request < 12; request++)
      statuses.push((await (request % 2 === 0 ? first : second).ask('/who')).status)
    t.same(
      statuses,
      statuses.map((_, index) => (index < 8 ? 200 : 429)),
    )
  },
)

test('the workers of a service admit the rate limit together when Redis was down at their start', async t => {
  const environment = { HEADWATERS_REDIS_URL: `redis://127.0.0.1:${await quietPort()}`, RATE_LIMIT: '8' }
  const { ask } = await workersService(t, { environment })
  let admitted = 0
  for (let request = 0; request < 30; request++) if ((await ask('/who')).status === 200) admitted++
  t.equal(admitted, 8)
})
