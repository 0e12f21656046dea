import { markLength } from '../../core/charset.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { outputOf, parseChecked } from './parse-checked.ts'

/** Returns the value of an empty body. With `responses` it is a `null` that the schema of its status reads. */
export function emptyValue(spec: OperationSpec, status: number): unknown {
  return spec.responses === undefined ? null : parseChecked(spec, outputOf(spec, status), status, null)
}

export function isEmpty({ responseType }: OperationSpec, body: Buffer): boolean {
  return body.length === 0 || (responseType === 'json' && isBlank(body))
}

/** The number of bytes of white space that one step scans. */
const scannedBytes = 1024 * 1024

/**
 * Returns whether a body consists only of white space of JSON (RFC 8259, section 2). A byte order mark may precede it.
 */
function isBlank(body: Buffer, start = markLength(body), end = body.length): boolean {
  for (let at = start; at < end; at++) {
    const byte = body[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false
  }
  return true
}

/** Does the same for a large body, in steps of about 5 ms. */
export function* isBlankInSteps(body: Buffer): Generator<undefined, boolean, undefined> {
  for (let at = markLength(body); at < body.length; at += scannedBytes) {
    if (!isBlank(body, at, Math.min(at + scannedBytes, body.length))) return false
    yield
  }
  return true
}
