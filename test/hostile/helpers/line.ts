import type { ErrorCode } from '../../../src/errors.ts'
import { wireRequest, type Parts } from './wire-request.ts'

/** An answer: a success by its status, a refusal by its status and code. */
export type Expected = '200' | '204' | `${number} ${ErrorCode}`

/** One request of the table. */
export interface Line {
  readonly what: string
  readonly bytes: Buffer
  /** The answers that are right: several where HTTP allows several. */
  readonly expect: readonly Expected[]
  /** Whether the answer has no body, as one to HEAD. */
  readonly isBare: boolean
  /** How many whole answers of 200 come before the one in question. */
  readonly before: number
  /** Whether the caller ends its side after the bytes. */
  readonly ends: boolean
  /** Must not be said again. */
  readonly hides: string | undefined
}

export interface LineOptions extends Parts {
  /** In place of a request in parts. */
  readonly bytes?: string
  readonly before?: number
  readonly ends?: boolean
  readonly hides?: string
}

/** A request that is refused, with one of these answers. */
export function refused(
  what: string,
  request: LineOptions | string,
  ...expect: readonly Exclude<Expected, '200' | '204'>[]
): Line {
  return line(what, request, expect)
}

/** A request that looks hostile and is none; the reason is part of its name. */
export function legal(what: string, why: string, request: LineOptions | string, ...expect: readonly Expected[]): Line {
  return line(`${what}: ${why}`, request, expect.length === 0 ? ['200'] : expect)
}

function line(what: string, request: LineOptions | string, expect: readonly Expected[]): Line {
  const parts = typeof request === 'string' ? ({ bytes: request } as LineOptions) : request
  const { before = 0, ends = false, hides, bytes, method } = parts
  return {
    what,
    bytes: bytes === undefined ? wireRequest(parts) : Buffer.from(bytes, 'latin1'),
    expect,
    before,
    ends,
    hides,
    isBare: method === 'HEAD',
  }
}
