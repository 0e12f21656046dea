import type { Overflow } from '../core/bounds.ts'

export type StepKind = 'required' | 'optional' | 'each' | 'firstOf' | 'pages'

/** Returns true for a kind of step that may make several calls and reports their counts. */
export function hasSeveralCalls(kind: StepKind): boolean {
  return kind === 'each' || kind === 'firstOf' || kind === 'pages'
}

/** One step of an aggregate, checked, with its defaults filled in. */
export interface Step {
  readonly name: string
  /** The index in the order of declaration; -1 for the function of context(). */
  readonly index: number
  readonly kind: StepKind
  /** The function of the step: returns a call, several calls or a value. */
  readonly handler: (args: never) => unknown
  /** The indexes of the earlier steps whose values the function gets. */
  readonly needs: readonly number[]
  /** Limit on the step, in ms. If undefined, only the run's deadline applies. */
  readonly timeout: number | undefined
  /** The value of an optional step that fails, or of a failed call of an `each`. */
  readonly fallback: unknown
  /** True if the value is always frozen: it may be a fallback that all runs share. */
  readonly isFrozen: boolean
  /** The largest number of calls in flight; `Infinity` if only the upstreams limit them. */
  readonly concurrency: number
  /** The maximum number of calls: `maxItems` or `maxPages`. */
  readonly maxItems: number
  /** The handling of a list that is longer than `maxItems`. */
  readonly overflow: Overflow
  /** The number of calls of an `each` that must succeed; all of them if undefined. For `onLoss: 'keep'` it is 0. */
  readonly minSuccess: number | undefined
  /** The number of answers that a `firstOf` takes. */
  readonly count: number
  /** Returns the calls of further pages; undefined if the step is not `pages`. */
  readonly next: ((page: unknown, index: number, args: object, pages: readonly unknown[]) => unknown) | undefined
}

/** Returns the name of the step for messages. */
export function labelOf({ index, name }: Step): string {
  return index < 0 ? 'context()' : `step '${name}'`
}
