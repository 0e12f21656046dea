import { Environment } from '../../../src/config/environment.ts'
import { closeMsOf } from '../../../src/server/process/shutdown.ts'
import { stopMsOf } from '../../../src/server/cluster/workers.ts'

/** The variables of a service in a manifest, a compose file or a unit. A value from a secret is not known. */
export type Variables = Readonly<Record<string, string | undefined>>

/** Returns the names that are not variables of the service. */
export function unknownVariables(variables: Variables): string[] {
  return Object.keys(variables).filter(name => !(name in Environment.shape))
}

/** Returns the names of variables whose value the service refuses. */
export function refusedVariables(variables: Variables): string[] {
  const known = Object.entries(variables).filter(([, value]) => value !== undefined && !value.startsWith('${'))
  const { error } = Environment.partial().safeParse(Object.fromEntries(known))
  return error?.issues.map(({ path }) => String(path[0])) ?? []
}

/**
 * Returns the seconds that the service takes from SIGTERM to its exit, if requests are in flight until the drain
 * timeout.
 */
export function secondsToExit(variables: Variables): number {
  const { DRAIN_MS: drainMs } = Environment.parse({ DRAIN_MS: variables['DRAIN_MS'] })
  const redis = 'HEADWATERS_REDIS_URL' in variables ? { options: {}, prefix: '', patienceMs: 1 } : undefined
  const closeMs = closeMsOf(redis === undefined ? {} : { redis })
  const afterDrain = 'HEADWATERS_WORKERS' in variables ? stopMsOf({ closeMs }) : closeMs
  return Math.ceil((drainMs + afterDrain) / 1000)
}
