import { StreamBody } from './stream-body.ts'

/** A body of parts, with the `content-type` that names its boundary. */
export class MultipartBody {
  readonly contentType: string
  readonly bytes: Uint8Array

  constructor(contentType: string, bytes: Uint8Array) {
    this.contentType = contentType
    this.bytes = bytes
  }
}

/** The body of a request as it is sent. */
export type RequestBody = string | Uint8Array | MultipartBody | StreamBody

/** Returns the text or the bytes of a body; `undefined` for a stream, whose bytes are not known. */
export function contentOf(body: RequestBody | undefined): string | Uint8Array | undefined {
  if (body instanceof MultipartBody) return body.bytes
  return body instanceof StreamBody ? undefined : body
}

/** Returns the `content-type` of a body that has its own; `undefined` for that of the operation. */
export function ownContentType(body: RequestBody): string | undefined {
  return typeof body === 'string' || body instanceof Uint8Array ? undefined : body.contentType
}
