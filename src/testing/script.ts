import { validateHeaderName, validateHeaderValue, type ServerResponse } from 'node:http'
import { writeJson } from '../core/json/write.ts'
import type { Matcher } from './matcher.ts'

/** What may be said of an answer beside its body. */
export interface AnswerOptions {
  /** @default 200 */
  readonly status?: number
  /** @default `content-type: application/json`, or `application/octet-stream` for bytes */
  readonly headers?: Readonly<Record<string, string>>
  /** How long the answer waits, in ms. @default 0 */
  readonly delay?: number
}

export interface StatusOptions extends Omit<AnswerOptions, 'status'> {
  /** Sent as JSON. @default {} */
  readonly body?: unknown
}

/** Writes one answer, or whatever else happens to a call. */
export type ResponseAction = (response: ServerResponse) => void

/**
 * What is queued for calls, in the order in which it is used; each line is used once, `always` as often as it is
 * needed.
 */
export interface Script {
  /**
   * Answers one call. A value is sent as JSON, with bigints as integers. Bytes are sent unchanged, and so is text if
   * the headers give a type that is not JSON.
   */
  answer(calls: Matcher, value: unknown, options?: AnswerOptions): this
  /** Answers every call for which nothing is queued. */
  always(calls: Matcher, value: unknown, options?: AnswerOptions): this
  /** Answers one call with a status. */
  status(calls: Matcher, status: number, options?: StatusOptions): this
  /** Breaks the connection of one call. */
  reset(calls?: Matcher): this
  /** Never answers one call. */
  hang(calls?: Matcher): this
  /** Answers one call with bytes that are no HTTP. */
  garbage(calls?: Matcher): this
  /** Answers one call with JSON that breaks off. */
  malformed(calls?: Matcher): this
}

/**
 * Writes a value as an answer; throws for a status, a header or a value that cannot be written, where the test has its
 * line.
 */
export function answering(value: unknown, { status = 200, headers = {}, delay = 0 }: AnswerOptions): ResponseAction {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`${status} is no status of an answer: use one from 200 to 599`)
  for (const [name, text] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, text)
  }
  const given = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name.toLowerCase(), text]))
  const isBytes = value instanceof Uint8Array
  const type = given['content-type'] ?? (isBytes ? 'application/octet-stream' : 'application/json')
  const isText = typeof value === 'string' && !/\bjson\b/i.test(type)
  const body = isBytes || isText ? value : (writeJson(value) ?? '')
  const write: ResponseAction = response => {
    // An answer without a body has neither a type nor a length (RFC 9110, section 15.3.5).
    if (status === 204 || status === 304) response.writeHead(status, given).end()
    else
      response
        .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...given })
        .end(body)
  }
  return delay === 0
    ? write
    : response => {
        const timer = setTimeout(write, delay, response)
        response.once('close', () => clearTimeout(timer))
      }
}

export const hang: ResponseAction = () => {}
export const garbage: ResponseAction = ({ socket }) => {
  socket?.end('this is no HTTP\r\n\r\n')
}
export const malformed: ResponseAction = response => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"broken":')
}
