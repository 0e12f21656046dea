import { isLoopback } from '../core/loopback.ts'
import type { Values } from './environment.ts'

/** The access of the operator. */
export interface Admin {
  /** The address of the admin listener. @default no listener */
  readonly listener?: { readonly host: string; readonly port: number }
  /** The key of the operator. Without it, the admin listener is open and has a loopback address. @default none */
  readonly key?: string
  /** `true` if the admin listener serves the dashboard. */
  readonly dashboard: boolean
  /** The largest number of kept runs of the service; 0 keeps none. Without an admin listener it is not used. */
  readonly keptRuns: number
}

export function adminOf(data: Values): Admin {
  const { ADMIN_PORT: port, ADMIN_HOST: host, ADMIN_KEY: key, DASHBOARD: dashboard, KEPT_RUNS: keptRuns } = data
  return Object.freeze({
    ...(port !== undefined && { listener: Object.freeze({ host, port }) }),
    ...(key !== '' && { key }),
    dashboard: dashboard === 'on',
    keptRuns,
  })
}

/** Returns the faults of the variables `ADMIN_…` that depend on several variables. */
export function adminFaults(data: Values): string[] {
  const { ADMIN_PORT: port, ADMIN_HOST: host, ADMIN_KEY: key } = data
  const faults: string[] = []
  if (key === '' && host !== 'localhost' && !isLoopback(host))
    faults.push(
      `ADMIN_KEY: is required, because ADMIN_HOST ${host} is not a loopback address: ` +
        'set ADMIN_KEY to a secret of at least 16 characters, or ADMIN_HOST to 127.0.0.1',
    )
  if (key !== '' && data.API_KEYS.includes(key))
    faults.push('ADMIN_KEY: is also in API_KEYS, and callers must not have it: set another key')
  if (port !== undefined && port !== 0 && port === data.PORT)
    faults.push(`ADMIN_PORT: is the same as PORT, ${port}: set another port, or 0 for any free port`)
  return faults
}
