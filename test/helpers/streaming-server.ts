import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { serveHttp, type Teardown } from './serve-http.ts'

/** A request that the server has read. */
export interface StreamedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Resolves when the response has ended or its connection is closed. */
  readonly closed: Promise<unknown>
}

/** Answers one request. */
export type StreamScript = (response: ServerResponse, request: StreamedRequest) => unknown

/** Starts a server whose nth request is answered by the nth script; further requests by the last one. */
export async function streamingServer(
  t: Teardown,
  ...scripts: readonly StreamScript[]
): Promise<{ readonly origin: string; readonly requests: readonly StreamedRequest[] }> {
  const requests: StreamedRequest[] = []
  const server = createServer((request, response) => {
    const closed = once(response, 'close')
    void text(request).then(body => {
      const { method = '', url = '', headers } = request
      const read = { method, url, headers, body, closed }
      const script = scripts[Math.min(requests.length, scripts.length - 1)]
      requests.push(read)
      return script?.(response, read)
    })
  })
  return { origin: await serveHttp(t, server), requests }
}

/** Writes events as lines. */
export const linesOf = (...events: readonly object[]): string =>
  events.map(event => `${JSON.stringify(event)}\n`).join('')

/** Sends the head of a stream and events, and leaves the stream open. */
export function beginStream(response: ServerResponse, ...events: readonly object[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.write(linesOf(...events))
  return response
}
