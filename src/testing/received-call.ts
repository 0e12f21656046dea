import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { readQuery } from './read-fields.ts'
import { readBody } from './received-body.ts'

/** One call as a scripted upstream received it. */
export interface ReceivedCall {
  /** The method, in upper case. */
  readonly method: string
  /** The path without the query, percent-encoded as it was received. */
  readonly path: string
  /** The fields of the query, decoded. A field that was received several times has a list of its values. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** The headers, by lower-case name. */
  readonly headers: Readonly<IncomingHttpHeaders>
  /**
   * The body, parsed as JSON, with a bigint for each integer that a number cannot represent. A form is an object of its
   * fields, in which a file is `{ filename, type, bytes }`. Any other body is its text, or its bytes if it is not
   * UTF-8. It is `undefined` if there is no body.
   */
  readonly body: unknown
}

/** Reads a request to its end. */
export async function receive(request: IncomingMessage): Promise<ReceivedCall> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { method = '', url = '', headers } = request
  const [path = '', search = ''] = url.split('?', 2)
  return Object.freeze({
    method,
    path,
    query: readQuery(search),
    headers,
    body: await readBody(Buffer.concat(chunks), headers['content-type']),
  })
}
