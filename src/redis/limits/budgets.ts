import type { SharedBudget } from '../../upstream/shared-state.ts'
import type { Commands } from '../commands/commands.ts'
import { budgetScript } from './limit-scripts.ts'

/** The time between two reports of a budget, in ms. A grant is used for this time. */
const reportMs = 1000

/** The number of reports that a budget without calls leaves out. Its grant must not be older than the window of 10 s. */
const maxSkipped = 4

export interface BudgetsOptions {
  readonly commands: Pick<Commands, 'isReachable' | 'script' | 'onUnavailable'>
  /** Returns the key of the budget of an upstream. */
  readonly keyOf: (upstream: string) => string
  readonly replicas: { readonly processes: number }
}

/** A budget of this process, and its last grant. */
interface Entry {
  readonly key: string
  readonly budget: SharedBudget
  granted: number
  /** The second of the store in which it was granted. */
  grantedAt: number
  /** The extra attempts of reports that may not have reached the store. */
  unreported: number
  skipped: number
  isReporting: boolean
}

/**
 * The retry budgets that replicas share. In each second, a process reports the calls and the extra attempts of each
 * budget, returns the last grant and gets the next one. All grants are booked in the store, so that processes that
 * report at different times do not get the same attempts.
 */
export class Budgets {
  readonly #options: BudgetsOptions
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: BudgetsOptions) {
    this.#options = options
    options.commands.onUnavailable(() => {
      for (const entry of this.#entries) this.#loseGrant(entry)
    })
  }

  /** Shares a budget. Returns a function that ends the sharing. */
  share(upstream: string, budget: SharedBudget): () => void {
    const key = this.#options.keyOf(upstream)
    const entry: Entry = {
      key,
      budget,
      granted: 0,
      grantedAt: 0,
      unreported: 0,
      skipped: maxSkipped,
      isReporting: false,
    }
    this.#entries.add(entry)
    if (this.#options.commands.isReachable) {
      // Its part of the minimum may be granted to other processes.
      budget.allow(0)
      void this.#report(entry)
    } else this.#loseGrant(entry)
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#reportAll(), reportMs)
      this.#timer.unref()
    }
    return () => {
      this.#entries.delete(entry)
      if (this.#entries.size === 0) this.close()
    }
  }

  /** Ends the reports. The grants of this process expire in the store. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #reportAll(): void {
    // The listener of `onUnavailable` has changed the budgets.
    if (!this.#options.commands.isReachable) return
    for (const entry of this.#entries) if (!entry.isReporting) void this.#report(entry)
  }

  async #report(entry: Entry): Promise<void> {
    const { commands, replicas } = this.#options
    const { key, budget, granted, grantedAt } = entry
    const { calls, extra } = budget.takeCounts()
    if (calls === 0 && extra === 0 && entry.skipped < maxSkipped) {
      entry.skipped++
      return budget.allow(granted)
    }
    const reported = extra + entry.unreported
    const numbers = [calls, reported, granted, grantedAt, budget.ratio, budget.minimum, replicas.processes]
    entry.granted = entry.skipped = entry.unreported = 0
    entry.isReporting = true
    try {
      const reply = await commands.script(budgetScript, [key], numbers.map(String), { check: isGrant })
      if (commands.isReachable) {
        ;[entry.granted, entry.grantedAt] = reply as readonly [number, number]
        budget.allow(entry.granted)
      } else this.#loseGrant(entry)
    } catch {
      // The store may have executed it. Extra attempts that it counts twice leave fewer for all.
      entry.unreported = Math.max(0, reported)
      this.#loseGrant(entry)
    }
    entry.isReporting = false
  }

  #loseGrant(entry: Entry): void {
    entry.granted = 0
    entry.skipped = maxSkipped
    entry.budget.allowAlone(this.#options.replicas.processes)
  }
}

function isGrant(reply: unknown): boolean {
  const numbers = reply as readonly unknown[]
  return numbers.length === 2 && numbers.every(Number.isSafeInteger)
}
