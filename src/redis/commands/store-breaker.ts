import type { FailureEffect } from './store-errors.ts'

/** A server can refuse writes and answer reads, so both are counted apart. */
export type CommandClass = 'read' | 'write'

/** The number of failures in a row of one class that make the store unavailable. */
const maxFailures = 3

/** Counts the failures in a row of each class of commands. */
export class StoreBreaker {
  readonly #failures: Record<CommandClass, number> = { read: 0, write: 0 }

  succeeded(kind: CommandClass): void {
    this.#failures[kind] = 0
  }

  /** Counts a failure. Returns true if the store is unavailable from now on. */
  failed(kind: CommandClass, effect: FailureEffect): boolean {
    if (effect === 'ignored') return false
    return effect === 'opens' || ++this.#failures[kind] >= maxFailures
  }

  reset(): void {
    this.#failures.read = this.#failures.write = 0
  }
}
