import type { Overflow } from '../core/bounds.ts'
import type { NextPage } from './page-types.ts'

/** Options of a `required` step. All kinds of steps have them. */
export interface StepOptions<N> {
  /**
   * The names of earlier steps. This step starts when all of them have ended, and gets their values. The value of an
   * `optional` step that failed or was skipped is its `fallback`.
   * @default []
   */
  readonly needs?: N
  /** Limit on this step, in ms. @default the rest of the run's deadline */
  readonly timeout?: number
}

/** Options of an `optional` step. */
export interface OptionalOptions<N, F> extends StepOptions<N> {
  /** The value of the step when it fails or is skipped. */
  readonly fallback: F
}

/** Limits of an `each`. */
export interface EachBounds<N> extends StepOptions<N> {
  /**
   * The largest number of concurrent calls of this step. A chain counts as one call until it has ended.
   * @default no limit of the step: each call waits for a permit of its upstream only
   */
  readonly concurrency?: number
  /** The largest number of calls. `overflow` selects the handling of a longer list. @default 100 */
  readonly maxItems?: number
  /**
   * The handling of a list longer than `maxItems`. `error` fails the run, independently of `minSuccess`. `truncate`
   * sends the first `maxItems` calls; the step is `partial` and reports the number of `omitted` items.
   * @default 'error'
   */
  readonly overflow?: Overflow
}

/** Options of an `each` whose calls may fail. */
export interface EachTolerance<M, F> {
  /** The number of calls that must succeed; of a shorter list, all of them. Requires `fallback`. @default all calls */
  readonly minSuccess?: M
  /** The value of each call that failed. Requires `minSuccess`. */
  readonly fallback?: F
}

/** Options of an `each`: its limits, and both of `minSuccess` and `fallback` or neither. */
export type EachOptions<N, M, F> = EachBounds<N> & EachTolerance<M, F>

/** Options of a `firstOf`. */
export interface FirstOfOptions<N, C> extends StepOptions<N> {
  /**
   * The number of answers that are taken. Answers take precedence over a `null` that a status of `nullOn` caused.
   * @default 1
   */
  readonly count?: C
}

/** Options of `pages`. `T` is the answer of a call, and `A` has the arguments of the step. */
export interface PagesOptions<N, T, A> extends StepOptions<N> {
  /**
   * Returns the call of the page after the last one so far, or a list of calls for all pages that follow, or nothing
   * after the last page. `byLink`, `byCursor` and `byOffset` make this function.
   */
  readonly next: NextPage<T, A>
  /** The largest number of pages. `overflow` selects the handling of further pages. @default 100 */
  readonly maxPages?: number
  /**
   * The largest number of concurrent calls of this step, if `next` returns a list.
   * @default no limit of the step: each call waits for a permit of its upstream only
   */
  readonly concurrency?: number
  /**
   * The handling of pages above `maxPages`. `error` fails the run, independently of `onLoss`. `truncate` uses the first
   * `maxPages` pages; the step is `partial` and reports the number of `omitted` pages.
   * @default 'error'
   */
  readonly overflow?: Overflow
  /**
   * The handling of a page that fails. `fail` fails the run. `keep` uses the pages before it; the step is `partial`.
   * @default 'fail'
   */
  readonly onLoss?: 'fail' | 'keep'
}
