import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An upstream that counts the calls for each item. */
export interface CountingUpstream {
  readonly port: number
  /** The items that have run more than once, and the largest number of runs of one item. */
  repetitions(): { readonly repeated: number; readonly most: number }
  stop(): void
}

/** Starts an upstream whose path is the index of an item. */
export async function startCountingUpstream(items: number): Promise<CountingUpstream> {
  const counts = new Uint16Array(items)
  const server = createServer((request, response) => {
    const id = (request.url as string).slice(1)
    const index = Number(id)
    counts[index] = (counts[index] as number) + 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ id }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    repetitions: () => ({
      repeated: counts.reduce((sum, count) => sum + (count > 1 ? 1 : 0), 0),
      most: counts.reduce((most, count) => Math.max(most, count), 0),
    }),
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
