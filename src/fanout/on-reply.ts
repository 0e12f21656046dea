import { headerValueFault } from '../core/header-value.ts'
import { checkObject } from '../core/option-values.ts'
import { ignoreRejection } from '../core/promises.ts'

/** The value that onReply() may return: headers of the reply. */
export interface ReplyExtras {
  /** The headers, by name. Several values are sent as several lines, as `set-cookie` requires. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** The headers of a reply, checked, by lower-case name. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Headers that the service writes itself, or that belong to the connection. */
const ours = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'date',
  'content-length',
  'content-type',
  'content-encoding',
  'cache-control',
  'cache-status',
  'age',
  'etag',
  'vary',
  'server-timing',
  'x-request-id',
  'traceparent',
])

/** Checks the value that onReply() returned. Throws a `TypeError` for a header that cannot be sent. */
export function readReplyExtras(aggregate: string, said: ReplyExtras | null | undefined): ReplyHeaders | undefined {
  const given = said?.headers
  if (given === undefined) return undefined
  checkObject(`aggregate '${aggregate}'`, 'headers of onReply()', given, "{ 'x-a': '1' }")
  const headers: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    if (!headerName.test(name))
      throw new TypeError(`aggregate '${aggregate}': onReply() returned '${name}', which is not a valid header name`)
    if (ours.has(lower) || lower.startsWith('headwaters-'))
      throw new TypeError(
        `aggregate '${aggregate}': onReply() returned the header '${name}', which only the service sets: remove it`,
      )
    if (Object.hasOwn(headers, lower))
      throw new TypeError(
        `aggregate '${aggregate}': onReply() returned the header '${name}' in two ` +
          'spellings: return several values as a list',
      )
    const lines: unknown[] = Array.isArray(value) ? value : [value]
    for (const line of lines) {
      const fault = headerValueFault(line)
      if (fault === undefined) continue
      // The values may contain a promise, and its unhandled rejection would end the process.
      lines.forEach(ignoreRejection)
      throw new TypeError(
        `aggregate '${aggregate}': onReply() returned an invalid value of the header '${name}': ${fault}`,
      )
    }
    headers[lower] = value
  }
  return headers
}
