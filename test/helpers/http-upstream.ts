import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { serveHttp, type Teardown } from './serve-http.ts'

/** One request that the test answers, or leaves hanging. */
export interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Settles when the connection of this request is gone or its answer is sent. */
  readonly closed: Promise<unknown>
  /** Whether the other side went before the answer was sent. */
  readonly hungUp: boolean
  readonly json: (body: unknown, status?: number) => void
}

export interface HttpUpstream {
  readonly origin: string
  /** Every request so far, as `METHOD /path`. */
  readonly log: readonly string[]
  /** The request for `METHOD /path`, as soon as it is there. */
  arrived(what: string): Promise<Asked>
}

/** A real server on loopback; requests that `handle` does not answer wait for the test. */
export async function httpUpstream(t: Teardown, handle: (asked: Asked) => void = () => {}): Promise<HttpUpstream> {
  const log: string[] = []
  const seen = new Map<string, Asked>()
  const expected = new Map<string, (asked: Asked) => void>()

  const server = createServer((request, response) => {
    const what = `${request.method} ${request.url}`
    const asked: Asked = {
      request,
      response,
      closed: once(response, 'close'),
      get hungUp() {
        return response.destroyed && !response.writableFinished
      },
      json(body, status = 200) {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      },
    }
    log.push(what)
    seen.set(what, asked)
    request.resume()
    handle(asked)
    expected.get(what)?.(asked)
  })
  const origin = await serveHttp(t, server)
  return {
    origin,
    log,
    arrived: what =>
      new Promise(resolve => {
        const asked = seen.get(what)
        if (asked !== undefined) resolve(asked)
        else expected.set(what, resolve)
      }),
  }
}
