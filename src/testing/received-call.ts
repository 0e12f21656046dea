import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { readJson } from '../core/json/parse.ts'

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
   * The body, parsed as JSON, with a bigint for each integer that a number cannot represent. It is the text if the body
   * is not JSON, and `undefined` if there is no body.
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
    body: readBody(Buffer.concat(chunks).toString('utf8')),
  })
}

/** Returns the fields of a query, decoded. */
export function readQuery(search: string): ReceivedCall['query'] {
  const fields = new URLSearchParams(search)
  return Object.fromEntries(
    [...new Set(fields.keys())].map(name => {
      const values = fields.getAll(name)
      return [name, values.length === 1 ? (values[0] as string) : values]
    }),
  )
}

function readBody(text: string): unknown {
  if (text === '') return undefined
  try {
    return readJson(text)
  } catch {
    return text
  }
}
