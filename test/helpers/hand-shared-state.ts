import type { Partition } from '../../src/core/partition.ts'
import type { SharedBudget, SharedState } from '../../src/upstream/shared-state.ts'
import { farStore } from './far-store.ts'

/** A shared state whose replicas and grants the test sets. */
export interface HandSharedState {
  readonly state: SharedState
  /** The shared budgets by upstream. */
  readonly budgets: Map<string, SharedBudget>
  /** The number of listeners for changes of the replicas. */
  readonly listeners: number
  /** Changes the replicas. */
  setServices(services: Partition): void
}

export function handSharedState(first: Partition = { index: 0, count: 1 }): HandSharedState {
  const budgets = new Map<string, SharedBudget>()
  const listeners = new Set<() => void>()
  let services = first
  return {
    state: {
      cacheStore: farStore().store,
      rateLimit: max => async () => ({ current: max, ttl: 1000 }),
      replicas: {
        get services() {
          return services
        },
        processes: 1,
        onChange(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      },
      shareBudget(upstream, budget) {
        budgets.set(upstream, budget)
        return () => void budgets.delete(upstream)
      },
      gauge: () => ({
        isAvailable: true,
        replicas: services.count,
        commands: { ok: 0, failed: 0, late: 0, skipped: 0 },
        memoryHits: 0,
        entries: 0,
        bytes: 0,
      }),
      close: async () => {},
    },
    budgets,
    get listeners() {
      return listeners.size
    },
    setServices(given) {
      services = given
      for (const listener of listeners) listener()
    },
  }
}
