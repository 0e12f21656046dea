import { setTimeout as pause } from 'node:timers/promises'
import { formatTable } from '../../../src/commands/load/format.ts'
import { median } from '../../lib/percentile.ts'
import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { TeardownList } from './teardown-list.ts'
import { startReplicaGroup, type ReplicaGroup, type WindowLoad } from './replica-group.ts'
import { noFault, stores, type StoreFault } from './stores.ts'

export interface FaultOptions extends WindowLoad {
  readonly replicas: number
  readonly rounds: number
  /** The time of a call to the upstream, in ms. */
  readonly delay: number
}

/** The largest median ratio of the p99 with a faulty Redis to the p99 without Redis. */
const maxRatio = 1.3
const afterFaultMs = 1000

/** Measures each fault of each store beside replicas without Redis. Returns the limits that were exceeded. */
export async function measureFaults(options: FaultOptions): Promise<string[]> {
  const { replicas, delay } = options
  const all = new TeardownList()
  try {
    const upstream = await startDelayUpstream(delay)
    const origin = { HEADWATERS_UPSTREAM_LEAVES_ORIGIN: `http://127.0.0.1:${upstream.port}` }
    const without = await startReplicaGroup('without', replicas, origin)
    all.teardown(() => without.close())
    const results: FaultResult[] = []
    for (const start of stores) {
      const own = new TeardownList()
      try {
        const { variables, faults } = await start(own)
        const withRedis = await startReplicaGroup('with Redis', replicas, { ...origin, ...variables })
        own.teardown(() => withRedis.close())
        for (const fault of faults) results.push(await measureFault(fault, withRedis, without, options))
      } finally {
        await own.end()
      }
    }
    process.stdout.write(
      formatTable([['fault', 'p99 ms', 'without Redis', 'ratio', 'failures'], ...results.map(rowOf)]),
    )
    return results.flatMap(violationsOf)
  } finally {
    await all.end()
  }
}

interface FaultResult {
  readonly fault: StoreFault
  readonly withP99Ms: number
  readonly withoutP99Ms: number
  /** The median ratio of the two in a round. */
  readonly ratio: number
  /** The requests without a reply with status 200, in the windows and while the fault began. */
  readonly failures: number
}

async function measureFault(
  fault: StoreFault,
  withRedis: ReplicaGroup,
  without: ReplicaGroup,
  { rounds: count, ...load }: FaultOptions,
): Promise<FaultResult> {
  await withRedis.whenAvailable()
  for (const group of [withRedis, without]) await group.measure(load)
  const before = withRedis.measure({ ...load, seconds: load.seconds + afterFaultMs / 1000 })
  await pause(load.seconds * 1000)
  await fault.begin()
  const { refused, other } = await before
  let failures = refused + other
  const rounds = []
  for (let round = 0; round < count; round++) {
    const [first, second] = round % 2 === 0 ? [withRedis, without] : [without, withRedis]
    const [one, next] = [await first.measure(load), await second.measure(load)]
    const [faulty, plain] = first === withRedis ? [one, next] : [next, one]
    rounds.push({ faulty, plain })
    failures += faulty.refused + faulty.other + plain.refused + plain.other
  }
  await fault.end()
  return {
    fault,
    withP99Ms: median(rounds.map(({ faulty }) => faulty.p99Ms)),
    withoutP99Ms: median(rounds.map(({ plain }) => plain.p99Ms)),
    ratio: median(rounds.map(({ faulty, plain }) => faulty.p99Ms / plain.p99Ms)),
    failures,
  }
}

function rowOf({ fault, withP99Ms, withoutP99Ms, ratio, failures }: FaultResult): string[] {
  return [fault.name, withP99Ms.toFixed(1), withoutP99Ms.toFixed(1), ratio.toFixed(2), String(failures)]
}

function violationsOf({ fault, ratio, failures }: FaultResult): string[] {
  return [
    ...(fault !== noFault && ratio > maxRatio
      ? [`${fault.name}: the p99 is ${ratio.toFixed(2)} times that without Redis, above ${maxRatio}`]
      : []),
    ...(failures > 0 ? [`${fault.name}: ${failures} requests have no reply with status 200`] : []),
  ]
}
