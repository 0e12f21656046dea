import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { announce } from '../../../lib/announce.ts'
import { boundedCalls } from './bounded.ts'

/**
 * Serves `/?n=5` with the minimum that a competent engineer writes by hand for an upstream call: both concurrency
 * limits, a queue and a merge.
 */
export function serveFloor(call: () => Promise<unknown>) {
  const callAll = boundedCalls()

  const server = createServer((request, response) => {
    const url = request.url ?? ''
    const count = Number(url.slice(url.indexOf('n=') + 2))
    if (!(count >= 1 && count <= 100)) {
      response.writeHead(400).end()
      return
    }
    callAll(count, call).then(
      facts => {
        const body = JSON.stringify({ data: { facts }, complete: true })
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        response.end(body)
      },
      (error: unknown) => {
        console.error(error)
        response.writeHead(502, { 'content-length': 0 }).end()
      },
    )
  })

  server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port))
}
