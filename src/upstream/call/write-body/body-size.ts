import { UpstreamError } from '../../../errors.ts'
import type { OperationSpec } from '../../spec/spec.ts'

/** Throws `CALL_INPUT_INVALID` for a text or bytes above `maxRequestBytes`. */
export function checkSize(content: string | Uint8Array, spec: OperationSpec): void {
  const { maxRequestBytes } = spec.upstream
  // A character of a string takes at most three bytes.
  if (content.length * 3 <= maxRequestBytes) return
  checkBytes(typeof content === 'string' ? Buffer.byteLength(content) : content.length, spec)
}

/** Throws `CALL_INPUT_INVALID` for a number of bytes above `maxRequestBytes`. */
export function checkBytes(bytes: number, { name, upstream: { maxRequestBytes } }: OperationSpec): void {
  if (bytes > maxRequestBytes)
    throw new UpstreamError('CALL_INPUT_INVALID', name, {
      detail: `its body has ${bytes} bytes, and the limit is ${maxRequestBytes}`,
    })
}
