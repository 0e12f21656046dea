import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import type { CacheOptions } from './operation-options.ts'

/** The times for which answers are used if their headers give no time, in ms. */
export interface CachePolicy {
  readonly ttl: number | undefined
  readonly staleWhileRevalidate: number | undefined
  readonly staleIfError: number | undefined
  readonly staleAfter: number | undefined
}

const known: OptionKeys<CacheOptions> = { ttl: true, staleWhileRevalidate: true, staleIfError: true, staleAfter: true }

/** Checks the cache options of an operation. Returns `undefined` if the cache is off. */
export function cachePolicy(owner: string, options: boolean | CacheOptions): CachePolicy | undefined {
  if (options === false) return undefined
  if (options !== true) rejectUnknownOptions(owner, options, known, { group: 'cache' })
  const { ttl, staleWhileRevalidate, staleIfError, staleAfter }: CacheOptions = options === true ? {} : options
  for (const [option, value] of Object.entries({ ttl, staleWhileRevalidate, staleIfError })) {
    if (value !== undefined) wholeNumber(owner, `cache.${option}`, value, { min: 0, unit: 'ms' })
  }
  if (staleAfter !== undefined) {
    wholeNumber(owner, 'cache.staleAfter', staleAfter, { unit: 'ms' })
    if (staleIfError === 0)
      throw new TypeError(`${owner}: cache.staleAfter has no effect if cache.staleIfError is 0: remove one`)
  }
  return Object.freeze({ ttl, staleWhileRevalidate, staleIfError, staleAfter })
}
