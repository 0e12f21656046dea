import type { SharedState } from '../../upstream/shared-state.ts'
import type { Commands } from '../commands/commands.ts'
import { ClientWindow, type ClientWindowOptions, type Grant, type GrantRequest } from './client-window.ts'
import { grantScript } from './limit-scripts.ts'

/**
 * The longest time that a request waits for the reply to one question, in ms. It can wait for two of them: for the
 * question before its own, too. After 1 s the app admits a request without a count.
 */
const longestPatienceMs = 400

export interface RateLimitsOptions {
  readonly commands: Pick<Commands, 'isReachable' | 'script'>
  /** Returns the key of the window of a client. */
  readonly keyOf: (client: string) => string
  readonly replicas: { readonly processes: number }
  /** The time that a command waits for its reply, in ms. Questions wait for at most 400 ms. */
  readonly patienceMs: number
  /** The length of a window, in ms. @default 60_000 */
  readonly windowMs?: number
  /** The largest number of clients that this process remembers. The least recent one is dropped. @default 50_000 */
  readonly maxClients?: number
}

/**
 * Returns the function `rateLimit` of a shared state.
 *
 * A window begins with the first request of a client and lasts as long as its key in the store. All processes together
 * admit at most the limit in a window. At most 1 % of the limit is left unused when a client is refused.
 */
export function createRateLimits({
  commands,
  keyOf,
  replicas,
  patienceMs: given,
  windowMs = 60_000,
  maxClients = 50_000,
}: RateLimitsOptions): SharedState['rateLimit'] {
  const patienceMs = Math.min(given, longestPatienceMs)

  return limit => {
    /** The windows of the clients, the least recent client first. */
    const windows = new Map<string, ClientWindow>()

    async function ask(client: string, { first, waiting, wanted, admitted }: GrantRequest): Promise<Grant> {
      const numbers = [limit, windowMs, first, waiting, wanted, replicas.processes, admitted]
      const reply = await commands.script(grantScript, [keyOf(client)], numbers.map(String), {
        patienceMs,
        check: isGrant,
      })
      const [granted, rest, ttl] = reply as readonly [number, number, number]
      return { granted, rest, ttl }
    }

    const options: ClientWindowOptions = {
      limit,
      windowMs,
      processes: () => replicas.processes,
      isReachable: () => commands.isReachable,
      ask,
      now: () => performance.now(),
    }

    function windowOf(client: string): ClientWindow {
      const window = windows.get(client) ?? new ClientWindow(client, options)
      windows.delete(client)
      windows.set(client, window)
      if (windows.size > maxClients) windows.delete(windows.keys().next().value as string)
      return window
    }

    return async (client, requests = 1) => windowOf(client).count(requests)
  }
}

function isGrant(reply: unknown): boolean {
  const numbers = reply as readonly unknown[]
  return numbers.length === 3 && numbers.every(value => Number.isSafeInteger(value) && (value as number) >= 0)
}
