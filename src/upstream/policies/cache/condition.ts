import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry } from './entry.ts'
import { etagOf, lastModifiedOf } from './validators.ts'

/** Headers that make a request conditional. */
export type Condition = Readonly<Record<string, string>>

/**
 * Returns whether the upstream can confirm a stored answer of an operation with a 304. A POST whose condition is false
 * gets a 412 instead (RFC 9110, section 13.1.2).
 */
export function isConfirmable({ method }: OperationSpec): boolean {
  return method !== 'POST'
}

/**
 * Returns the headers of a request that asks whether an entry is still valid; `undefined` if the upstream cannot
 * confirm it.
 */
export function conditionOf({ head }: Entry, spec: OperationSpec): Condition | undefined {
  if (!isConfirmable(spec)) return undefined
  const etag = etagOf(head)
  const modified = lastModifiedOf(head)
  if (etag === undefined) return modified === undefined ? undefined : { 'if-modified-since': modified }
  return modified === undefined ? { 'if-none-match': etag } : { 'if-none-match': etag, 'if-modified-since': modified }
}
