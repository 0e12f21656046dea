import type { ServerResponse } from 'node:http'
import { validateHeaderName, validateHeaderValue } from '../core/node-http.ts'
import { writeJson } from '../core/json/write.ts'
import type { Matcher } from './matcher.ts'

/** Options of an answer, in addition to its body. */
export interface AnswerOptions {
  /** The status, from 200 to 599. @default 200 */
  readonly status?: number
  /** The headers. @default `content-type: application/json`, or `application/octet-stream` for bytes */
  readonly headers?: Readonly<Record<string, string>>
  /** Time between the call and its answer, in ms. @default 0 */
  readonly delay?: number
}

/** Options of an answer with a given status. */
export interface StatusOptions extends Omit<AnswerOptions, 'status'> {
  /** The body, sent as JSON. @default {} */
  readonly body?: unknown
}

/** Answers one call, or does something else with its connection, for example resets it. */
export type ResponseAction = (response: ServerResponse) => void

/**
 * The lines of a scripted upstream. Each line is used once, for the first call that it selects. If several lines select
 * a call, the line that was added first is used. A line of `always` is used for every call for which there is no other
 * line. Each method returns the upstream, so that lines can be chained.
 */
export interface Script {
  /**
   * Answers one call. A value is sent as JSON, with bigints as integers. Bytes are sent unchanged. Text is sent
   * unchanged if the headers have a `content-type` that is not JSON.
   *
   * @param calls The calls that the line is for.
   * @param value The body.
   * @param options The status, the headers and the delay.
   * @returns The upstream.
   * @throws `TypeError` for a text that selects no calls, a status or a header that cannot be sent, and a value that is
   *   not JSON.
   */
  answer(calls: Matcher, value: unknown, options?: AnswerOptions): this
  /**
   * Answers every call for which there is no other line. If several of these lines select a call, the line that was
   * added last is used.
   *
   * @param calls The calls that the line is for.
   * @param value The body, as `answer` sends it.
   * @param options The status, the headers and the delay.
   * @returns The upstream.
   * @throws `TypeError` as `answer` does.
   */
  always(calls: Matcher, value: unknown, options?: AnswerOptions): this
  /**
   * Answers one call with a status.
   *
   * @param calls The calls that the line is for.
   * @param status The status, from 200 to 599.
   * @param options The body, the headers and the delay.
   * @returns The upstream.
   * @throws `TypeError` as `answer` does.
   */
  status(calls: Matcher, status: number, options?: StatusOptions): this
  /**
   * Resets the connection of one call.
   *
   * @param calls The calls that the line is for. By default it is for the next call.
   * @returns The upstream.
   * @throws `TypeError` for a text that selects no calls.
   */
  reset(calls?: Matcher): this
  /**
   * Receives one call and never answers it.
   *
   * @param calls The calls that the line is for. By default it is for the next call.
   * @returns The upstream.
   * @throws `TypeError` for a text that selects no calls.
   */
  hang(calls?: Matcher): this
  /**
   * Answers one call with bytes that are not HTTP, and closes the connection.
   *
   * @param calls The calls that the line is for. By default it is for the next call.
   * @returns The upstream.
   * @throws `TypeError` for a text that selects no calls.
   */
  garbage(calls?: Matcher): this
  /**
   * Answers one call with status 200 and incomplete JSON.
   *
   * @param calls The calls that the line is for. By default it is for the next call.
   * @returns The upstream.
   * @throws `TypeError` for a text that selects no calls.
   */
  malformed(calls?: Matcher): this
}

/**
 * Returns the action that answers with a value. Throws immediately for a status, a header or a value that cannot be
 * sent, so that the stack trace shows the line of the test.
 */
export function answering(value: unknown, { status = 200, headers = {}, delay = 0 }: AnswerOptions): ResponseAction {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`the status must be from 200 to 599, got ${status}`)
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
    // An answer without a body must not have a type or a length (RFC 9110, section 15.3.5).
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
  socket?.end('this is not HTTP\r\n\r\n')
}
export const malformed: ResponseAction = response => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"broken":')
}
