import type { IncomingMessage } from 'node:http'
import { Problem } from '../../errors.ts'

/**
 * Returns the problem of a transfer coding other than `chunked`, or undefined. Node's parser accepts every list of
 * codings that ends with `chunked`, and passes on the body with the other codings still applied. Such a list is 501
 * (RFC 9112, section 6.1). A list that ends with another coding does not delimit the body, and is 400 (section 6.3).
 */
export function transferEncodingProblem({ headers }: IncomingMessage): Problem | undefined {
  const coding = headers['transfer-encoding']?.toLowerCase()
  if (coding === undefined || coding === 'chunked') return undefined
  const last = coding.slice(coding.lastIndexOf(',') + 1).trim()
  return last === 'chunked'
    ? new Problem('TRANSFER_ENCODING_UNSUPPORTED')
    : new Problem('BAD_REQUEST', { detail: 'The transfer-encoding of a request must be chunked.' })
}
