import { randomUUID } from 'node:crypto'
import type { CacheLeaseName, CacheLeases } from '../../upstream/policies/cache/store.ts'
import type { Commands } from '../commands/commands.ts'
import type { Keys } from '../commands/keys.ts'
import { StoreUnavailable } from '../commands/store-errors.ts'
import { releaseLease, renewLease, takeLease, unshared } from './lease-scripts.ts'

/** The part of its time after which a lease is renewed. Two renewals in a row can fail. */
const renewShare = 0.3
/** The time between two looks for leases that are to be renewed, in ms. */
const lookMs = 50

/** A lease that a call of this process holds. */
interface HeldLease {
  /** The name of the lease on the server, with the epoch in which it was taken. */
  readonly name: string
  /** The value of the lease. Another holder has another one. */
  readonly token: string
  /** The time of the lease after each renewal, in ms. */
  readonly leaseMs: number
  /** The time after which the lease is not renewed, in ms of `performance.now()`. */
  readonly until: number
  /** The time of the next renewal, in ms of `performance.now()`. */
  renewAt: number
}

/** The leases of a process. */
export interface Leases {
  readonly leases: CacheLeases
  /** Ends the renewals. The leases end by themselves. */
  readonly close: () => void
}

/** Creates the leases of a process on a server. While the server is unavailable, no lease is taken or waited for. */
export function createLeases({ commands, keys }: { readonly commands: Commands; readonly keys: Keys }): Leases {
  const held = new Set<HeldLease>()
  let renewals: NodeJS.Timeout | undefined

  function renewAll(): void {
    const now = performance.now()
    for (const lease of held)
      if (lease.until <= now) forget(lease)
      else if (lease.renewAt <= now) void renew(lease, now)
  }

  async function renew(lease: HeldLease, now: number): Promise<void> {
    lease.renewAt = now + lease.leaseMs * renewShare
    const ms = timeOf(Math.min(lease.leaseMs, lease.until - now))
    try {
      const [isOurs] = await commands.script(renewLease, [lease.name], [lease.token, ms])
      if (isOurs === 0) forget(lease)
    } catch {
      // The next renewal tries again, and without one the lease ends by itself.
    }
  }

  /** Ends the renewals of a lease. Returns false if it is not held. */
  function forget(lease: HeldLease): boolean {
    const wasHeld = held.delete(lease)
    if (held.size === 0) stop()
    return wasHeld
  }

  async function release(lease: HeldLease, unsharedMs: number): Promise<void> {
    if (!forget(lease)) return
    const ms = unsharedMs > 0 ? timeOf(unsharedMs) : '0'
    try {
      await commands.script(releaseLease, [lease.name], [lease.token, ms])
    } catch {
      // Otherwise the other replicas wait until the lease ends by itself.
      commands.post(releaseLease, [lease.name], [lease.token, ms])
    }
  }

  function stop(): void {
    clearInterval(renewals)
    renewals = undefined
  }

  /** Returns the keys of a lease, of its entry and of its generation, or `undefined` while leases are not used. */
  function namesOf({ key, uri, generation = '' }: CacheLeaseName): [string, string, string] | undefined {
    const { epoch, isAvailable } = commands
    if (isAvailable && epoch !== undefined)
      return [keys.lease(epoch, uri, key, generation), keys.entry(epoch, uri, key), keys.generation(epoch, uri)]
    commands.skip()
    return undefined
  }

  return {
    leases: {
      async take(lease, leaseMs, maxMs) {
        const used = namesOf(lease)
        if (used === undefined) return undefined
        const [name] = used
        const now = performance.now()
        const token = randomUUID()
        const taken = { name, token, leaseMs, until: now + maxMs, renewAt: now + leaseMs * renewShare }
        const args = [token, timeOf(Math.min(leaseMs, maxMs)), lease.generation ?? '']
        let reply
        try {
          reply = await commands.script(takeLease, used, args, { check: ([value]) => typeof value === 'string' })
        } catch (error) {
          // The server may still give the lease. It executes the release after that.
          if (!(error instanceof StoreUnavailable)) commands.post(releaseLease, [name], [token, '0'])
          return undefined
        }
        const [value, isEmpty] = reply
        if (value !== token) return value === unshared ? 'unshared' : 'taken'
        held.add(taken)
        renewals ??= setInterval(renewAll, lookMs).unref()
        return { isEmpty: isEmpty === 1, release: unsharedMs => release(taken, unsharedMs) }
      },
      async stateOf(lease) {
        const [name] = namesOf(lease) ?? []
        if (name === undefined) return undefined
        try {
          const check = (reply: unknown) => reply === null || typeof reply === 'string'
          const value = await commands.run('read', name, ['GET', name], { check })
          if (value === null) return 'free'
          return value === unshared ? 'unshared' : 'taken'
        } catch {
          return undefined
        }
      },
    },
    close() {
      held.clear()
      stop()
    },
  }
}

/** Returns a time as the server reads it: whole ms, at least 1. */
function timeOf(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)))
}
