import { StreamCut, StreamProblem } from './failures.ts'
import { readLines } from './lines.ts'
import type { StreamRequest } from './stream-request.ts'
import type { ProblemBody, ReceivedEvent, ReplyEvent, StreamEvent } from './types.ts'

const streamType = 'application/x-ndjson'

/**
 * Sends a request once and yields its events. The last one is `reply`.
 *
 * @throws StreamCut if there is no answer, or if the last event is missing
 * @throws StreamProblem for a status from 400, and for the event `problem`
 */
export async function* sendRequest<D, B>(
  url: string,
  { method = 'GET', headers, body, fetch: send = fetch }: StreamRequest,
  signal: AbortSignal,
): AsyncGenerator<ReceivedEvent<D, B>, void> {
  const fields = new Headers(headers)
  fields.set('accept', `${streamType}, application/json;q=0.5`)
  if (typeof body === 'string' && !fields.has('content-type')) fields.set('content-type', 'application/json')
  const response = await orCut(url, send(url, { method, headers: fields, signal, ...(body !== undefined && { body }) }))
  const isStream = typeOf(response).startsWith(streamType) && response.body !== null
  if (!isStream) return yield await readPlain<B>(url, response)
  const lines = readLines(response.body)
  for (let line = await orCut(url, lines.next()); ; line = await orCut(url, lines.next())) {
    if (line.done === true) throw new StreamCut(`${url}: the stream ended before its last event`)
    if (line.value === '') continue
    const event = JSON.parse(line.value) as StreamEvent<D, B>
    const isLast = event.event === 'reply' || event.event === 'problem'
    // The end of the body is read apart: the last event does not wait for it.
    if (isLast) lines.next().catch(() => {})
    if (event.event === 'problem') throw new StreamProblem(event)
    yield event
    if (isLast) return
  }
}

/** Reads an answer that is not a stream. */
async function readPlain<B>(url: string, response: Response): Promise<ReplyEvent<B>> {
  const { status } = response
  const type = typeOf(response)
  const text = await orCut(url, response.text())
  const headers = Object.fromEntries(response.headers)
  const isJson = type.includes('json')
  if (status >= 400)
    throw new StreamProblem({ status, headers, ...(isJson && text && { body: JSON.parse(text) as ProblemBody }) })
  if (!isJson && text !== '')
    throw new TypeError(`${url}: the answer must be ${streamType} or JSON, got ${type}: check the URL and the proxies`)
  return { event: 'reply', status, headers, body: (text === '' ? null : JSON.parse(text)) as B }
}

const typeOf = ({ headers }: Response): string => headers.get('content-type') ?? ''

/** Rejects with a StreamCut if the connection fails. */
async function orCut<T>(url: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    // Only lines.ts throws it; a repeated request would give the same line.
    if (cause instanceof RangeError) throw cause
    throw new StreamCut(`${url}: the connection failed before the last event`, { cause })
  }
}
