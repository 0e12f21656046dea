import type { IncomingMessage } from 'node:http'
import { Problem } from '../../errors.ts'

/**
 * Returns the problem of a transfer coding that is not `chunked` alone, or undefined. Node's parser takes every list of
 * codings that ends with
 * `chunked`, and hands over the body with the other codings still applied. Such a list is 501 (RFC 9112, section 6.1);
 * a list that ends with another coding does not say where the body ends, and is 400 (section 6.3).
 */
export function transferEncodingProblem({ headers }: IncomingMessage): Problem | undefined {
  const coding = headers['transfer-encoding']?.toLowerCase()
  if (coding === undefined || coding === 'chunked') return undefined
  const last = coding.slice(coding.lastIndexOf(',') + 1).trim()
  return last === 'chunked'
    ? new Problem('TRANSFER_ENCODING_UNSUPPORTED')
    : new Problem('BAD_REQUEST', { detail: 'The last transfer coding of a request must be chunked.' })
}
