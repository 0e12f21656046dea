import type { Entry } from './entry.ts'

/**
 * Where a cache keeps answers. Each of its functions may answer at once or by a promise; one that throws, rejects or is
 * late counts as a miss and fails no call. Keys are of any length in a store of values, and 43 letters in a store of
 * bodies.
 */
export interface CacheStore {
  /**
   * `values`: entries are objects that stay in this process, and `get` returns the very object that `set` was given;
   * their `bytes` are the memory that they hold. `bodies`: entries are plain JSON and may go anywhere; what comes back
   * is checked, and its body is read by the operation's schema again, so that no older version of it is believed.
   */
  readonly keeps: 'values' | 'bodies'
  /** How long a call waits for `get`, in ms. @default 100 */
  readonly patience?: number
  get(key: string): Entry | undefined | Promise<Entry | undefined>
  /** Keeps an entry in place of the one before; after `usefulMs` it is of no more use. */
  set(key: string, entry: Entry, usefulMs: number): unknown
  delete(key: string): unknown
  /** What it holds, where it knows. */
  readonly size?: { readonly entries: number; readonly bytes: number }
}
