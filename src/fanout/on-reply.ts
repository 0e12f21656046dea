import { readHeaders, type ReplyHeaders } from './reply-headers.ts'
import { checkStatus, type ReplyStatus } from './reply-status.ts'
import type { Route } from './route.ts'
import { allowsSharedCache, allowsStoring } from './shared-caches.ts'

/** The value that onReply() may return: the status of the reply, and headers. */
export interface ReplyExtras {
  /**
   * The status of the reply, one of those that `reply` declares. With 204 the data must be null.
   * @default the first status of `reply`
   */
  readonly status?: ReplyStatus
  /**
   * The headers, by name. Several values are sent as several lines, as `set-cookie` requires. A `cache-control` may be
   * stricter than the aggregate's `cacheControl`, and not more open.
   */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** The part of an aggregate that limits the value of its onReply(). */
interface Replying {
  readonly name: string
  readonly route: Pick<Route, 'method' | 'cacheControl' | 'isShared'>
  /** The statuses that reply() declares. */
  readonly statuses: readonly [ReplyStatus, ...ReplyStatus[]]
}

/** The checked value of onReply(). */
export interface CheckedExtras {
  /** The status of the reply, that of reply() if onReply() returned none. */
  readonly status: ReplyStatus
  readonly headers: ReplyHeaders | undefined
}

/**
 * Checks the value that onReply() returned.
 *
 * @throws {TypeError} for a status that reply() does not declare, and for a status or a header that cannot be sent
 */
export function readReplyExtras(
  { name, route, statuses }: Replying,
  data: unknown,
  returned: ReplyExtras | null | undefined,
): CheckedExtras {
  const action = `aggregate '${name}': onReply() returned`
  const status = returned?.status ?? statuses[0]
  checkStatus(`${action} a status that a reply cannot have: it`, status)
  if (!statuses.includes(status))
    throw new TypeError(
      `${action} the status ${status}, which reply() does not declare: ` +
        `add it to the status list of reply(), { status: [${[...statuses, status].join(', ')}] }`,
    )
  if (status === 204 && data !== null && data !== undefined)
    throw new TypeError(`${action} the status 204, which has no body, and the data is not null: merge null for it`)
  const given = returned?.headers
  if (given === undefined) return { status, headers: undefined }
  const headers = readHeaders(
    { owner: `aggregate '${name}'`, option: 'headers of onReply()', action, refused: {} },
    given,
  )
  const cacheControl = headers['cache-control'] as string | undefined
  if (cacheControl !== undefined) checkCacheControl(action, route, cacheControl)
  return { status, headers }
}

/** Refuses a `cache-control` under which a cache could store a reply that lacks the `vary` that it needs. */
function checkCacheControl(action: string, { method, cacheControl, isShared }: Replying['route'], value: string): void {
  if (!isShared && allowsSharedCache(value))
    throw new TypeError(
      `${action} the cache-control '${value}', with which shared caches store the reply, and ` +
        (method === 'GET'
          ? `the cacheControl of the aggregate ${cacheControl === undefined ? 'is not set' : 'does not allow that'}: ` +
            "declare one such as cacheControl: 'public, max-age=60', so that vary is sent"
          : `the aggregate is ${method}: write private or no-store`),
    )
  if (cacheControl === undefined && method === 'GET' && allowsStoring(value))
    throw new TypeError(
      `${action} the cache-control '${value}', with which caches store the reply, and the aggregate ` +
        "declares no cacheControl: declare one such as cacheControl: 'private, no-cache', so that vary is sent",
    )
}
