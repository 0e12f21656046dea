import { StreamCut, StreamProblem } from './failures.ts'
import { sendRequest } from './send-request.ts'
import type { StreamRequest } from './stream-request.ts'
import type { ReceivedEvent, ReplyBody, ReplyEvent } from './types.ts'

/** The events of one request, which are read once. Iteration sends the request; leaving the loop cancels it. */
export interface EventStream<D, B = ReplyBody<D>> extends AsyncIterable<ReceivedEvent<D, B>> {
  /**
   * The last event. It rejects as the iteration does, and when the loop was left before the last event. Without a loop,
   * it sends the request and reads all events.
   */
  readonly reply: Promise<ReplyEvent<B>>
}

/**
 * Requests an aggregate or a batch, and iterates over the events of its stream. A service that answers without a stream
 * gives one event, `reply`.
 *
 * A request without an answer and a stream that ended early are repeated after a second; the new stream begins with a
 * new `plan`.
 *
 * @typeParam D The data of the reply, which snapshots have.
 * @typeParam B The body of the reply, for an aggregate with `envelope: false` and for a batch.
 * @param url The URL of the aggregate or the batch. In a browser it may be relative.
 * @param request The method, headers, body, signal and rules of repetition.
 * @returns The events. The request is sent when they are read.
 * @throws `TypeError` for a wrong URL or method. The iteration throws `StreamProblem` for a status from 400 and for the
 *   event `problem`, `StreamCut` if the stream was cut and is not repeated, and `TypeError` for an answer that is
 *   neither a stream nor JSON.
 * @example
 * ```ts
 * import { openStream, StreamProblem } from 'headwaters/client'
 *
 * interface CatFacts {
 *   readonly facts: readonly { readonly text: string }[]
 * }
 *
 * const stream = openStream<CatFacts>('http://127.0.0.1:3000/v1/cat-facts?count=3')
 * try {
 *   for await (const event of stream) if (event.event === 'snapshot') console.log(event.data.facts)
 *   console.log((await stream.reply).body.complete)
 * } catch (error) {
 *   if (error instanceof StreamProblem) console.error(error.problem?.code, error.retryAfter)
 * }
 * ```
 */
export function openStream<D, B = ReplyBody<D>>(url: string | URL, request?: StreamRequest): EventStream<D, B>
// The docstring is that of the signature, which the built file does not have: a browser does not load the text.
export function openStream<D, B>(address: string | URL, request: StreamRequest = {}): EventStream<D, B> {
  const url = String(address)
  // A wrong URL or method fails here, not as a request without an answer. Another fetch may read other URLs.
  if (request.fetch === undefined) Reflect.construct(Request, [url, { method: request.method ?? 'GET' }])
  const last = Promise.withResolvers<ReplyEvent<B>>()
  // The iteration throws the same error: a promise that is not awaited must not end the process.
  last.promise.catch(() => {})
  let isRead = false
  const stream = {
    get reply() {
      // A loop may begin later in the same turn.
      if (!isRead) queueMicrotask(() => void (isRead || readAll(stream)))
      return last.promise
    },
    [Symbol.asyncIterator]() {
      if (isRead) throw new TypeError('the stream has been read, or a loop reads it: open another stream')
      isRead = true
      return readEvents<D, B>(url, request, last)
    },
  }
  return stream
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  const events = stream[Symbol.asyncIterator]()
  try {
    while ((await events.next()).done !== true);
  } catch {
    // `reply` rejects with it.
  }
}

async function* readEvents<D, B>(
  url: string,
  request: StreamRequest,
  last: PromiseWithResolvers<ReplyEvent<B>>,
): AsyncGenerator<ReceivedEvent<D, B>, void> {
  const { method = 'GET', signal: callers, retryDelay = 1000 } = request
  const { retries = method === 'GET' || method === 'QUERY' ? 1 : 0 } = request
  const own = new AbortController()
  const signal = callers === undefined ? own.signal : AbortSignal.any([callers, own.signal])
  let isWhole = false
  try {
    for (let left = retries; !isWhole; left--)
      try {
        for await (const event of sendRequest<D, B>(url, request, signal)) {
          if (event.event === 'reply') {
            isWhole = true
            last.resolve(event)
          }
          yield event
        }
      } catch (error) {
        if (signal.aborted) throw signal.reason
        isWhole = error instanceof StreamProblem
        if (!(error instanceof StreamCut) || left < 1) throw error
        await pause(retryDelay * (0.5 + Math.random()), signal)
      }
  } catch (error) {
    last.reject(error)
    throw error
  } finally {
    // The end of a whole body is still read, so that its connection can be used again.
    if (!isWhole) own.abort()
    last.reject(new DOMException('the stream was left before its last event', 'AbortError'))
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}
