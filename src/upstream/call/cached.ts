import type { UpstreamError } from '../../errors.ts'

/** How a cache had part in an answer. */
export interface Cached {
  /** `hit`: it was kept and fresh; `stale`: it was kept and is no longer fresh; `miss`: the upstream was asked. */
  readonly cache: 'hit' | 'stale' | 'miss'
  /** How old a kept answer is, in whole seconds. */
  readonly age?: number
  /** For how long it stays fresh, in whole seconds; negative when it no longer is. */
  readonly ttl?: number
  /** Why the upstream's own answer is not there, where a kept one stands for it (stale-if-error). */
  readonly insteadOf?: UpstreamError
}
