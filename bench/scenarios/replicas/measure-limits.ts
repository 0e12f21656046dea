import { formatTable } from '../../../src/commands/load/format.ts'
import { startRedis } from '../../../test/helpers/redis.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { startReplicaGroup } from './replica-group.ts'
import { TeardownList } from './teardown-list.ts'

export interface LimitOptions {
  readonly replicas: number
  /** Requests per second of the one client. */
  readonly rate: number
}

/** The largest difference of the admitted requests from the limit, as a share of the limit. */
const maxError = 0.02
const windowSeconds = 60
const windows = 2

/**
 * Sends requests of one client at twice its limit, for two windows of the limit. One replica is killed in the first
 * half of the second window. Returns the limits that were exceeded.
 */
export async function measureLimits({ replicas, rate }: LimitOptions): Promise<string[]> {
  const limit = (rate * windowSeconds) / 2
  const all = new TeardownList()
  try {
    const upstream = await startDelayUpstream(1)
    const redis = await startRedis(all, { tcp: true })
    const group = await startReplicaGroup('limited', replicas, {
      HEADWATERS_UPSTREAM_LEAVES_ORIGIN: `http://127.0.0.1:${upstream.port}`,
      HEADWATERS_REDIS_URL: redis.url,
      RATE_LIMIT: String(limit),
    })
    all.teardown(() => group.close())
    await group.whenAvailable()
    const admitted = Array.from({ length: windows }, () => 0)
    const startedAt = performance.now()
    let failures = 0
    await openLoop({
      perSecond: rate,
      seconds: windows * windowSeconds,
      async send(index) {
        if (index === Math.floor((windowSeconds + 5) * rate)) group.kill()
        const status = await group.send()
        // The limit is used up in the first half of a window, so the second half can divide the counts.
        const window = Math.floor((performance.now() - startedAt) / 1000 / windowSeconds + 0.25)
        if (status === 200) admitted[window] = (admitted[window] ?? 0) + 1
        else if (status !== 429) failures++
      },
    })
    process.stdout.write(
      formatTable([
        ['window', 'admitted', 'limit', 'error'],
        ...admitted.map((count, index) => [
          String(index + 1),
          String(count),
          String(limit),
          `${(((count - limit) / limit) * 100).toFixed(2)} %`,
        ]),
      ]),
    )
    return [
      ...admitted.flatMap((count, index) =>
        Math.abs(count - limit) > maxError * limit ? [`window ${index + 1}: ${count} of ${limit} were admitted`] : [],
      ),
      ...(failures > 0 ? [`${failures} requests have a reply other than 200 and 429`] : []),
    ]
  } finally {
    await all.end()
  }
}
