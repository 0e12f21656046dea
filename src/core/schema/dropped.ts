import { types } from 'node:util'
import type { z } from 'zod'
import { innerOf, partsOf } from '../json/parts.ts'
import { unknowns } from './check-written.ts'
import { defOf } from './wrapped.ts'

/** A value that JSON leaves out, or writes as something else. */
export interface Dropped {
  /** Its place, for example `/tags/0`; empty for the whole value. */
  readonly pointer: string
  /** Its kind with an article, for example `a Map`. */
  readonly kind: string
  readonly value: unknown
}

/** Returns whether a schema has a part whose output is not known from its type, such as a transform. */
export function hasUnknownOutput(schema: z.ZodType): boolean {
  const seen = new Set([schema])
  for (const each of seen) {
    const { type } = defOf(each)
    if (type !== 'never' && unknowns.has(type)) return true
    if (type !== 'lazy') for (const part of partsOf(each)) seen.add(part)
    else {
      try {
        seen.add(innerOf(each))
      } catch {
        // The inner schema is declared later in the file.
        return true
      }
    }
  }
  return false
}

/** Returns the first value that JSON drops; `undefined` if it drops nothing. The value must not contain cycles. */
export function droppedIn(value: unknown, pointer = ''): Dropped | undefined {
  const kind = droppedKind(value)
  if (kind !== undefined) return { pointer, kind, value }
  if (typeof value !== 'object' || value === null || writesItself(value)) return undefined
  for (const [key, item] of Object.entries(value)) {
    const dropped = droppedIn(item, `${pointer}/${key}`)
    if (dropped !== undefined) return dropped
  }
  return undefined
}

function droppedKind(value: unknown): string | undefined {
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (typeof value === 'function') return writesItself(value) ? undefined : 'a function'
  if (typeof value !== 'object' || value === null || writesItself(value)) return undefined
  if (types.isMap(value)) return 'a Map'
  if (types.isSet(value)) return 'a Set'
  if (types.isPromise(value)) return 'a promise'
  return value instanceof Blob ? 'a file' : undefined
}

function writesItself(value: object): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function'
}
