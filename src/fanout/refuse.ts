import { checkObject, checkTextOption, kindOf } from '../core/option-values.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { errors, Problem, type Fault } from '../errors.ts'
import { readHeaders, type ReplyHeaders } from './reply-headers.ts'

/** Options of `refuse`. */
export interface RefuseOptions {
  /**
   * The problem type: an absolute URI that identifies the kind of the problem.
   * @default 'urn:headwaters:problem:refused'
   */
  readonly type?: string
  /** A short summary of the kind of the problem. @default 'Refused' */
  readonly title?: string
  /**
   * The code that the caller receives, in upper case with underscores, such as `ORDER_INVALID`. It must not be an
   * error code of Headwaters.
   * @default 'REFUSED'
   */
  readonly code?: string
  /** Single faults with their places in the request, at most 100. @default none */
  readonly errors?: readonly Fault[]
  /** Headers of the problem, by name. @default none */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /**
   * Seconds after which the caller may try again; sent as `retry-after`, rounded up.
   * @default 1 for the status 503, otherwise none
   */
  readonly retryAfterSeconds?: number
}

const knownOptions: OptionKeys<RefuseOptions> = {
  type: true,
  title: true,
  code: true,
  errors: true,
  headers: true,
  retryAfterSeconds: true,
}

const codePattern = /^[A-Z][A-Z0-9_]{1,63}$/

/** The largest number of faults in one problem. */
const maxFaults = 100

/** Headers of a problem with a fixed value, or with an option of their own. */
const refusedHeaders = {
  'cache-control': 'a problem is sent with no-store, so remove it',
  'retry-after': 'use the option retryAfterSeconds',
}

/**
 * Ends the run with a problem of the author: a status of the 4xx or 5xx class and a sentence for the caller. Call it in
 * a step, a merge, context() or onReply(). It ends the run even in an optional step.
 *
 * @param status The status, from 400 to 599.
 * @param detail A sentence for the caller.
 * @param options The type, the title, the code, the faults and the headers of the problem, and the value of
 *   `retry-after`.
 * @returns Never; it throws.
 * @throws `Problem` with the code `REFUSED`. Its `authorCode` is the option `code`.
 * @throws `TypeError` for another status and for a wrong option.
 * @example
 * ```ts
 * import { refuse } from 'headwaters'
 *
 * export function found<T>(breed: T | null): T {
 *   return breed ?? refuse(404, 'There is no breed of this name.', { code: 'BREED_UNKNOWN' })
 * }
 * ```
 */
export function refuse(status: number, detail: string, options: RefuseOptions = {}): never {
  if (!Number.isInteger(status) || status < 400 || status > 599)
    throw new TypeError(`refuse(${status}) must have a status from 400 to 599`)
  const owner = `refuse(${status})`
  checkTextOption(owner, 'detail', detail, "'The order is unknown.'")
  rejectUnknownOptions(owner, options, knownOptions)
  const { type, title, code, errors: faults, headers, retryAfterSeconds } = options
  if (type !== undefined) checkType(owner, type)
  if (title !== undefined) checkTextOption(owner, 'title', title, "'Invalid order'")
  if (code !== undefined) checkCode(owner, code)
  throw new Problem('REFUSED', {
    status,
    detail,
    type,
    authorCode: code,
    headers: headers && headersOf(owner, headers),
    ...(title !== undefined && { title }),
    ...(faults !== undefined && { faults: faultsOf(owner, faults) }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds: secondsOf(owner, retryAfterSeconds) }),
  })
}

function checkType(owner: string, type: string): void {
  checkTextOption(owner, 'type', type, "'https://shop.example/problems/order'")
  if (!URL.canParse(type))
    throw new TypeError(
      `${owner}: type must be an absolute URI such as 'https://shop.example/problems/order', got '${type}'`,
    )
}

function checkCode(owner: string, code: string): void {
  checkTextOption(owner, 'code', code, "'ORDER_INVALID'")
  if (!codePattern.test(code))
    throw new TypeError(
      `${owner}: code must have 2 to 64 upper-case letters, digits and underscores, such as 'ORDER_INVALID', ` +
        `got '${code}'`,
    )
  if (Object.hasOwn(errors, code))
    throw new TypeError(`${owner}: the code '${code}' is an error code of Headwaters: choose another code`)
}

/** Returns a copy of the faults, with nothing but their places and reasons. */
function faultsOf(owner: string, faults: readonly Fault[]): readonly Fault[] {
  if (!Array.isArray(faults))
    throw new TypeError(`${owner}: errors must be a list of { pointer, reason }, got ${kindOf(faults)}`)
  if (faults.length > maxFaults)
    throw new TypeError(`${owner}: errors must have at most ${maxFaults} entries, got ${faults.length}: send the first`)
  return faults.map((fault: Fault, index) => {
    checkObject(owner, `errors[${index}]`, fault, "{ pointer: '/body/items/0', reason: 'is sold out' }")
    const { pointer, reason } = fault
    checkTextOption(owner, `errors[${index}].reason`, reason, "'is sold out'")
    checkTextOption(owner, `errors[${index}].pointer`, pointer, "'/body/items/0'")
    if (pointer !== '' && !pointer.startsWith('/'))
      throw new TypeError(
        `${owner}: errors[${index}].pointer must be a JSON Pointer such as '/body/items/0', got '${pointer}'`,
      )
    return { pointer, reason }
  })
}

function headersOf(owner: string, headers: object): ReplyHeaders {
  return readHeaders({ owner, option: 'headers', action: `${owner} has`, refused: refusedHeaders }, headers)
}

function secondsOf(owner: string, seconds: number): number {
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= 2 ** 31 - 1) return Math.ceil(seconds)
  throw new TypeError(`${owner}: retryAfterSeconds must be a number from 0 to ${2 ** 31 - 1}, got ${String(seconds)}`)
}
