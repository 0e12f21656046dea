import { isByteStream, sourceOf } from './byte-source.ts'

/**
 * Closes all streams in the input of a call that was refused. The call does not exist, so nothing else listens to their
 * errors: the error of a file that cannot be opened would end the process. A file that was opened would stay open.
 *
 * @param inputs The input as it was given, and the outputs of its schemas, which may have opened streams.
 */
export function closeStreamsIn(inputs: readonly unknown[]): void {
  // A loop over a set visits the values that are added meanwhile, and each of them once: an input may be circular.
  const found = new Set(inputs)
  for (const value of found) {
    try {
      if (isByteStream(value)) sourceOf(value).close()
      else for (const each of valuesOf(value)) found.add(each)
    } catch {
      // A stream or a getter of the caller has thrown. The caller needs the error for which the call was refused.
    }
  }
}

/**
 * Returns the values in which streams of a body may be. Other objects than lists and plain objects may refer to streams
 * that do not belong to the call, so they have only the `stream` that a body would read.
 */
function valuesOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value as readonly unknown[]
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return Object.values(value)
  return [(value as { readonly stream?: unknown }).stream]
}
