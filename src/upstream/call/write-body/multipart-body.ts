import { randomBytes } from 'node:crypto'
import type { OperationSpec } from '../../spec/spec.ts'
import { entriesOf } from './body-entries.ts'
import { checkBytes } from './body-size.ts'
import type { SizedStream } from './byte-source.ts'
import { headOf, readPart } from './multipart-part.ts'
import { MultipartBody } from './request-body.ts'
import type { StreamBody } from './stream-body.ts'
import { writeStream } from './write-stream.ts'

/**
 * Writes an object as `multipart/form-data` (RFC 7578), with a part for each text and each file. The boundary is
 * random, so no file can contain it. The body is a stream if one of the files is.
 */
export function writeMultipart(value: unknown, spec: OperationSpec): MultipartBody | StreamBody {
  const boundary = `headwaters-${randomBytes(24).toString('hex')}`
  const contentType = `multipart/form-data; boundary=${boundary}`
  const pieces: (Uint8Array | SizedStream)[] = []
  for (const [name, item] of entriesOf(value, spec.name)) {
    const part = readPart(name, item, spec.name)
    pieces.push(Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n`), part.content, lineEnd)
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`))
  const known = pieces.filter(piece => piece instanceof Uint8Array)
  if (known.length < pieces.length) return writeStream(spec, pieces, contentType)
  const length = known.reduce((bytes, piece) => bytes + piece.length, 0)
  checkBytes(length, spec)
  return new MultipartBody(contentType, Buffer.concat(known, length))
}

const lineEnd = Buffer.from('\r\n')
