import type { Dispatcher } from 'undici'
import type { ResponseHeaders } from './response-headers.ts'

type Controller = Dispatcher.DispatchController

const space = 0x20
const tab = 0x09

/**
 * Returns headers without the white space after their values, which is not part of the values (RFC 9112, section 5).
 * undici's parser removes only the white space before a value. A tab after `Transfer-Encoding` is kept, because the
 * parser then reads no chunks.
 *
 * @returns The same object if no value ends with white space.
 */
export function withoutWhiteSpace(headers: ResponseHeaders): ResponseHeaders {
  for (const name in headers) {
    const value = headers[name]
    if (typeof value === 'string' ? endsWithSpace(value) : value?.some(endsWithSpace)) return trimmed(headers)
  }
  return headers
}

/**
 * Returns whether undici refused a complete body only because of white space after its `Content-Length`. undici reads
 * each such character as one more digit, so it expects another length than its parser.
 *
 * @param bytes The length of the received body.
 */
export function isComplete(
  error: Error & { readonly code?: string },
  headers: ResponseHeaders,
  bytes: number,
): boolean {
  return error.code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && Number(headers['content-length']) === bytes
}

function trimmed(headers: ResponseHeaders): ResponseHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const trim = name === 'transfer-encoding' ? withoutSpaces : withoutPadding
      return [name, typeof value === 'string' ? trim(value) : value?.map(trim)]
    }),
  )
}

function endsWithSpace(value: string): boolean {
  return isSpace(value.charCodeAt(value.length - 1))
}

function isSpace(code: number): boolean {
  return code === space || code === tab
}

function withoutPadding(value: string): string {
  let end = value.length
  while (isSpace(value.charCodeAt(end - 1))) end--
  return value.slice(0, end)
}

function withoutSpaces(value: string): string {
  let end = value.length
  while (value.charCodeAt(end - 1) === space) end--
  return value.slice(0, end)
}

/**
 * An interceptor for `Dispatcher.compose`. It accepts a complete body that undici refuses because of white space after
 * its `Content-Length`.
 */
export const paddedLength: Dispatcher.DispatcherComposeInterceptor = dispatch => (options, handler) =>
  dispatch(options, new PaddedLength(handler))

class PaddedLength implements Dispatcher.DispatchHandler {
  readonly #next: Dispatcher.DispatchHandler
  #headers: ResponseHeaders = {}
  #bytes = 0

  constructor(next: Dispatcher.DispatchHandler) {
    this.#next = next
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#next.onRequestStart?.(controller, context)
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, text?: string): void {
    this.#headers = headers
    this.#next.onResponseStart?.(controller, status, headers, text)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#next.onResponseData?.(controller, chunk)
  }

  onResponseEnd(controller: Controller, trailers: ResponseHeaders): void {
    this.#next.onResponseEnd?.(controller, trailers)
  }

  onResponseError(controller: Controller, error: Error): void {
    if (isComplete(error, this.#headers, this.#bytes)) this.#next.onResponseEnd?.(controller, {})
    else this.#next.onResponseError?.(controller, error)
  }
}
