import { z } from 'zod'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { oracle } from './oracle.ts'

export interface BookOptions {
  readonly onLoss?: 'fail' | 'keep'
  readonly overflow?: 'error' | 'truncate'
  readonly maxPages?: number
  readonly concurrency?: number
  readonly timeout?: number
}

export const page = (id: number) => oracle.ask({ id })

/** Pages that begin with `/0`. What the types refuse is tried too. */
export function book(next: (page: never, index: number) => unknown, options: BookOptions = {}, deadline = 10_000) {
  return aggregate('book', { url: '/book', deadline })
    .pages('pages', () => page(0), { next: next as () => undefined, ...options })
    .reply(z.unknown(), ({ pages }) => pages)
}

/** A number of pages of which each one leads to the next. */
export const chainedBook = (length: number, options?: BookOptions) =>
  book((_, index) => (index < length - 1 ? page(index + 1) : undefined), options)

/** A number of pages of which the first one lists the others. */
export const listedBook = (length: number, options?: BookOptions) =>
  book((_, index) => (index === 0 ? times(length - 1, at => page(at + 1)) : undefined), options)
