import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { connectionOf } from '../../src/redis/commands/client.ts'
import { Commands } from '../../src/redis/commands/commands.ts'
import { keysOf } from '../../src/redis/commands/keys.ts'
import { Budgets } from '../../src/redis/limits/budgets.ts'
import { Members } from '../../src/redis/limits/members.ts'
import { createRateLimits } from '../../src/redis/limits/rate-limit.ts'
import type { RedisServer } from './redis.ts'
import { until } from './until.ts'

export interface LimitedProcessOptions {
  /** @default another service for each process */
  readonly service?: string
  /** The number of processes of the service. @default 1 */
  readonly ownProcesses?: number
  /** @default 60_000 */
  readonly windowMs?: number
  /** @default 2000, so that no command is late on a busy machine, except that a limit waits for at most 400 ms */
  readonly patienceMs?: number
  /** @default 50_000 */
  readonly maxClients?: number
}

/** The shared limits of one process. */
export interface LimitedProcess {
  readonly client: Redis
  readonly commands: Commands
  readonly members: Members
  readonly budgets: Budgets
  readonly rateLimit: ReturnType<typeof createRateLimits>
  /** Ends its connection for good, without leaving the members. */
  die(): void
}

/** The number of processes, for the names of their services. */
let processes = 0

/** Opens the shared limits as one process does. Resolves when the server is reachable. */
export async function limitedProcess(
  t: Test,
  server: RedisServer,
  {
    service = `service-${processes++}`,
    ownProcesses = 1,
    windowMs = 60_000,
    patienceMs = 2000,
    maxClients = 50_000,
  }: LimitedProcessOptions = {},
): Promise<LimitedProcess> {
  const client = await server.client(t)
  const keys = keysOf('headwaters')
  const commands = new Commands({ connection: connectionOf(client), keys, patienceMs, settleMs: 0, onChange: () => {} })
  const members = new Members({ commands, key: keys.members, service, patienceMs, ownProcesses })
  const budgets = new Budgets({ commands, keyOf: upstream => keys.budget(upstream), replicas: members })
  t.teardown(async () => {
    budgets.close()
    await members.close()
    commands.close()
  })
  await until(() => commands.isAvailable)
  return {
    client,
    commands,
    members,
    budgets,
    rateLimit: createRateLimits({
      commands,
      keyOf: id => keys.client(id),
      replicas: members,
      patienceMs,
      windowMs,
      maxClients,
    }),
    die: () => client.disconnect(),
  }
}

/** Opens the limits of several processes of different services. Resolves when each has seen all. */
export async function limitedProcesses(
  t: Test,
  server: RedisServer,
  count: number,
  options?: LimitedProcessOptions,
): Promise<LimitedProcess[]> {
  const all = await Promise.all(Array.from({ length: count }, () => limitedProcess(t, server, options)))
  await until(() => all.every(({ members }) => members.processes === count))
  return all
}
