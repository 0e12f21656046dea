import type { ChildServer } from '../../lib/child.ts'
import { median } from '../../lib/percentile.ts'
import { allGood, OriginsClient } from './measure-origins.ts'
import type { KindsRequest, UpstreamReport } from './upstream.ts'

/** The CPU time of a call with one origin and with ten, in µs, and the median of the ratios of each round. */
export interface OriginsCost {
  readonly one: number
  readonly ten: number
  readonly ratio: number
}

const rounds = 7
const callsPerRound = 8000
const callers = 64

/** Measures the CPU time of this process per call, in turns. The origins are those of another process. */
export async function measureCost(child: ChildServer, ports: readonly number[]): Promise<OriginsCost> {
  await child.request<UpstreamReport>({ kinds: allGood } satisfies KindsRequest)
  const one = new OriginsClient({ ports: ports.slice(0, 1) })
  const ten = new OriginsClient({ ports })
  const costs: { readonly one: number; readonly ten: number }[] = []
  for (let round = -1; round < rounds; round++) {
    const cost = { one: await cpuOf(one), ten: await cpuOf(ten) }
    // The first round warms up.
    if (round >= 0) costs.push(cost)
  }
  await one.close()
  await ten.close()
  return {
    one: median(costs.map(cost => cost.one)),
    ten: median(costs.map(cost => cost.ten)),
    ratio: median(costs.map(cost => cost.ten / cost.one)),
  }
}

/** Returns the CPU time per call of a closed loop, in µs. */
async function cpuOf(client: OriginsClient): Promise<number> {
  const before = process.cpuUsage()
  let left = callsPerRound
  const call = async () => {
    while (left-- > 0) await client.send(left)
  }
  await Promise.all(Array.from({ length: callers }, call))
  const { user, system } = process.cpuUsage(before)
  return (user + system) / callsPerRound
}
