import type { Dispatcher } from 'undici'
import type { ResponseHeaders } from './response-headers.ts'
import { isComplete } from './white-space.ts'

type Controller = Dispatcher.DispatchController

/**
 * Interceptor for `Dispatcher.compose`: accepts a complete body that undici refuses for the white space behind its
 * `Content-Length`.
 */
export const paddedLength: Dispatcher.DispatcherComposeInterceptor = dispatch => (options, handler) =>
  dispatch(options, new PaddedLength(handler))

class PaddedLength implements Dispatcher.DispatchHandler {
  readonly #next: Dispatcher.DispatchHandler
  #head: ResponseHeaders = {}
  #bytes = 0

  constructor(next: Dispatcher.DispatchHandler) {
    this.#next = next
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#next.onRequestStart?.(controller, context)
  }

  onResponseStart(controller: Controller, status: number, head: ResponseHeaders, text?: string): void {
    this.#head = head
    this.#next.onResponseStart?.(controller, status, head, text)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#next.onResponseData?.(controller, chunk)
  }

  onResponseEnd(controller: Controller, trailers: ResponseHeaders): void {
    this.#next.onResponseEnd?.(controller, trailers)
  }

  onResponseError(controller: Controller, error: Error): void {
    if (isComplete(error, this.#head, this.#bytes)) this.#next.onResponseEnd?.(controller, {})
    else this.#next.onResponseError?.(controller, error)
  }
}
