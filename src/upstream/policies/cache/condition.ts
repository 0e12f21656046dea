import type { Entry } from './entry.ts'
import { etagOf, lastModifiedOf } from './validators.ts'

/** Headers that make a request conditional. */
export type Condition = Readonly<Record<string, string>>

/** Returns the headers of a request that asks whether an entry is still valid; `undefined` if it has no validator. */
export function conditionOf({ head }: Entry): Condition | undefined {
  const etag = etagOf(head)
  const modified = lastModifiedOf(head)
  if (etag === undefined) return modified === undefined ? undefined : { 'if-modified-since': modified }
  return modified === undefined ? { 'if-none-match': etag } : { 'if-none-match': etag, 'if-modified-since': modified }
}
