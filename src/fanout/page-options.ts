import { wholeNumber } from '../core/bounds.ts'
import type { Step } from './step.ts'

/** The options that only `pages` has. */
export interface AnyPagesOptions {
  readonly next?: unknown
  readonly maxPages?: number
  readonly onLoss?: unknown
}

/** Checks the options that only `pages` has, and returns the fields of the step that they set. */
export function checkPages(
  owner: string,
  { next, maxPages = 100, onLoss = 'fail' }: AnyPagesOptions,
): Pick<Step, 'next' | 'maxItems' | 'minSuccess'> {
  if (typeof next !== 'function')
    throw new TypeError(
      `${owner}: pages needs the function next, which returns the call of the next page, for example ` +
        '{ next: byCursor(page => page.after, after => shop.orders({ after })) }',
    )
  wholeNumber(owner, 'maxPages', maxPages)
  if (onLoss !== 'fail' && onLoss !== 'keep')
    throw new TypeError(`${owner}: onLoss must be 'fail' or 'keep', got '${String(onLoss)}'`)
  return { next: next as Step['next'], maxItems: maxPages, minSuccess: onLoss === 'keep' ? 0 : undefined }
}
