import type { OperationSpec } from '../../spec/spec.ts'
import { checkBytes } from './body-size.ts'
import type { SizedStream } from './byte-source.ts'
import { StreamBody } from './stream-body.ts'

/**
 * Returns the body of an operation from parts of which some are streams.
 *
 * @throws `CALL_INPUT_INVALID` if the sizes that are known exceed `maxRequestBytes`
 * @throws {TypeError} if the operation shares its answers or its requests, or if its upstream sends several calls over
 *   one connection
 */
export function writeStream(
  spec: OperationSpec,
  parts: readonly (Uint8Array | SizedStream)[],
  contentType?: string,
): StreamBody {
  const sizes = parts.map(part => (part instanceof Uint8Array ? part.length : part.size))
  const known = sizes.reduce<number>((bytes, size) => bytes + (size ?? 0), 0)
  checkBytes(known, spec)
  if (spec.coalesce)
    throw new TypeError(
      `${spec.name}: its body is a stream, so no two calls are equal: remove coalesce and cache, or give bytes`,
    )
  if (spec.keyBatch !== undefined)
    throw new TypeError(
      `${spec.name}: its body is a stream, which cannot be sent for several keys: remove keyBatch, or give bytes`,
    )
  // undici ends the process if a stream ends early beside other requests of its connection.
  if (spec.upstream.pipelining > 1)
    throw new TypeError(
      `${spec.name}: its body is a stream, which cannot share a connection with other calls: ` +
        'remove pipelining, or declare the operation in an upstream without it',
    )
  return new StreamBody(spec, parts, { contentType, length: sizes.includes(undefined) ? undefined : known })
}
