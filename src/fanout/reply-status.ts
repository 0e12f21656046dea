import type { z } from 'zod'
import type { DeepReadonly } from '../core/freeze.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { kindOf } from '../core/option-values.ts'
import type { Awaitable } from './inference.ts'

/** The statuses that a reply can have. A merged reply never has 205, which resets a form, or 206, which is a part. */
export type ReplyStatus = 200 | 201 | 202 | 203 | 204 | 207 | 208 | 226

const statuses: ReadonlySet<unknown> = new Set([200, 201, 202, 203, 204, 207, 208, 226] satisfies ReplyStatus[])
const listed = [...statuses].join(', ')

/** The status of a reply with the data `D`. With 204 there is no body, so it requires a `D` without data. */
export type StatusOf<D> = [D] extends [null | undefined | void] ? ReplyStatus : Exclude<ReplyStatus, 204>

/**
 * Options of `reply`.
 *
 * @typeParam D The data of the reply.
 * @typeParam A The arguments of the merge.
 * @typeParam N The value that the schema of the reply reads.
 */
export interface ReplyOptions<D, A, N> {
  /**
   * The status of the reply. A list has the status of the reply first, and then the other statuses that onReply() may
   * return; the API document describes all of them. With 204 the reply has no body.
   * @default 200
   */
  readonly status?: StatusOf<D> | readonly [StatusOf<D>, ...ReplyStatus[]]
  /**
   * Merges the data of the snapshots of a stream, if the merge cannot work with the fallbacks of steps that have not
   * ended. `pending` has the names of these steps. With `false` a stream has no snapshots.
   * @default the merge of the reply
   */
  readonly snapshot?: false | ((args: A, pending: readonly string[]) => Awaitable<DeepReadonly<N>>)
}

/** The options of any `reply`. */
export type AnyReplyOptions = ReplyOptions<unknown, never, unknown>

const replyOptions: OptionKeys<AnyReplyOptions> = { status: true, snapshot: true }

/** Types of schemas whose only value is null or undefined. */
const withoutData: ReadonlySet<string> = new Set(['null', 'undefined', 'void'])

/** Checks the options of reply() and returns the statuses of the reply, that of a reply without onReply() first. */
export function readStatuses(
  owner: string,
  schema: z.ZodType,
  cacheControl: string | undefined,
  options: AnyReplyOptions,
): readonly [ReplyStatus, ...ReplyStatus[]] {
  rejectUnknownOptions(`${owner}, reply()`, options, replyOptions)
  const { status = 200 } = options
  const all: readonly ReplyStatus[] = Array.isArray(status) ? [...new Set(status)] : [status as ReplyStatus]
  for (const each of all) checkStatus(`${owner}: the status of reply()`, each)
  const [first] = all
  if (first === undefined)
    throw new TypeError(`${owner}: the status of reply() is an empty list: write at least one of ${listed}`)
  const { type } = schema._zod.def
  if (first === 204 && !withoutData.has(type))
    throw new TypeError(
      `${owner}: a reply with the status 204 has no body, and its schema is of the type '${type}': ` +
        'write reply(z.null(), () => null, { status: 204 })',
    )
  if (cacheControl !== undefined && first !== 200)
    throw new TypeError(
      `${owner}: cacheControl requires a reply with the status 200, got ${first}: remove cacheControl or the status`,
    )
  return Object.freeze([first, ...all.slice(1)] as const)
}

/** Refuses a value that is not the status of a reply. */
export function checkStatus(subject: string, status: unknown): asserts status is ReplyStatus {
  if (statuses.has(status)) return
  const got = typeof status === 'number' ? String(status) : kindOf(status)
  const fix = typeof status === 'number' && status >= 400 ? ': call refuse() for an error' : ''
  throw new TypeError(`${subject} must be one of ${listed}, got ${got}${fix}`)
}
