import { createServer } from 'node:http'
import { serveHttp, type Teardown } from './serve-http.ts'

/** An upstream that answers each request at once, with a status that the test sets. */
export async function switchableUpstream(t: Teardown, body: unknown) {
  let status = 200
  const text = JSON.stringify(body)
  const origin = await serveHttp(
    t,
    createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(text)
    }),
  )
  return {
    origin,
    /** Lets it fail with this status from now on; 200 ends it. */
    answerWith(next: number) {
      status = next
    },
  }
}
