import { promiseOf } from '../../../core/promises.ts'
import { createTimerQueue } from '../../../core/timer-queue.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { ReportFault } from './cache-adapter.ts'
import type { Place } from './cache-key.ts'
import { PendingLookup } from './pending-lookup.ts'
import {
  getTimeoutOf,
  storedName,
  type CacheLease,
  type CacheLeases,
  type CacheLeaseState,
  type CacheStore,
} from './store.ts'

/** A lease that a call of this process holds. */
export interface Lease {
  /** True if nothing was stored at the place when the lease was given. */
  readonly isEmpty: boolean
  /** Releases the lease. For `unsharedMs`, other calls are then sent without a lease. A second call has no effect. */
  release(unsharedMs: number): void
}

/**
 * The lease of a place and a generation, for one call. The promises reject only with the abort reason of the call.
 * `undefined` means that the store has failed, is late or is unavailable.
 */
export interface LeaseAccess {
  /** Takes the lease for at most `maxMs`. It ends `leaseMs` after a crash. */
  take(leaseMs: number, maxMs: number): Promise<Lease | Exclude<CacheLeaseState, 'free'> | undefined>
  state(): Promise<CacheLeaseState | undefined>
}

/** Returns the access of one call to the lease of a place and a generation. */
export type LeaseAdapter = (place: Place, generation: string | undefined, call: LiveCall<unknown>) => LeaseAccess

/** Creates the adapter of the leases of a store. It fails no call, and delays a call for at most `getTimeout`. */
export function createLeaseAdapter(store: CacheStore, leases: CacheLeases, report: ReportFault): LeaseAdapter {
  const timeout = createTimerQueue(getTimeoutOf(store), () => PendingLookup.late)

  function heldLease(lease: CacheLease): Lease {
    let isHeld = true
    return {
      isEmpty: isEmpty(lease),
      release(unsharedMs) {
        if (!isHeld) return
        isHeld = false
        const failed = (cause: unknown) => report('leases.release', cause)
        try {
          promiseOf(lease.release(unsharedMs))?.then(undefined, failed)
        } catch (error) {
          failed(error)
        }
      },
    }
  }

  return ({ key, uri }, generation, call) => {
    const name = { key: storedName(store, key), uri: storedName(store, uri), generation }

    const resultOf = (asked: Promise<unknown>, failed: 'leases.take' | 'leases.stateOf') =>
      new PendingLookup(call, timeout, asked, cause => report(failed, cause)).found

    return {
      async take(leaseMs, maxMs) {
        const asked = (async () => leases.take(name, leaseMs, maxMs))()
        /** Releases a lease that the store gives to a call which does not wait for it any more. */
        const giveBack = () =>
          asked.then(
            given => isLease(given) && heldLease(given).release(0),
            () => {},
          )
        try {
          const given = await resultOf(asked, 'leases.take')
          if (isLease(given)) return heldLease(given)
          if (given === 'taken' || given === 'unshared') return given
          void giveBack()
          return undefined
        } catch (reason) {
          void giveBack()
          throw reason
        }
      },
      async state() {
        const state = await resultOf((async () => leases.stateOf(name))(), 'leases.stateOf')
        return state === 'free' || state === 'taken' || state === 'unshared' ? state : undefined
      },
    }
  }
}

/** Returns whether a store gave a lease. It never throws, although a getter may. */
function isLease(given: unknown): given is CacheLease {
  try {
    return typeof given === 'object' && given !== null && typeof (given as Partial<CacheLease>).release === 'function'
  } catch {
    return false
  }
}

function isEmpty(lease: CacheLease): boolean {
  try {
    return lease.isEmpty === true
  } catch {
    return false
  }
}
