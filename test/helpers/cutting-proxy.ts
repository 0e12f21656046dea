import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A TCP proxy in front of a TLS server that can cut what the server sends between two TLS records. */
export interface CuttingProxy {
  readonly port: number
  /**
   * Holds what the server sends on its connection from now until its end, drops the last records of that, and ends with
   * a bare FIN.
   */
  readonly dropLast: (records: number) => void
  /** Resets the connections that are open. */
  readonly reset: () => void
}

/** Starts a proxy that passes everything on until `cut` is called. */
export async function cuttingProxy(t: Test, target: number): Promise<CuttingProxy> {
  let dropped: number | undefined
  const clients = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, client => {
    clients.add(client)
    const upstream = connect(target, '127.0.0.1')
    let received = Buffer.alloc(0)
    const held: Buffer[] = []
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream)
    client.on('close', () => {
      clients.delete(client)
      upstream.destroy()
    })
    upstream.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      // A record has a type, a version and a length of two bytes in front of its content.
      for (let size = sizeOf(received); size <= received.length; size = sizeOf(received)) {
        const record = received.subarray(0, size)
        received = received.subarray(size)
        if (dropped === undefined) client.write(record)
        else held.push(record)
      }
    })
    upstream.on('end', () => {
      client.end(Buffer.concat(held.slice(0, held.length - (dropped ?? 0))))
      dropped = undefined
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    dropLast(records) {
      dropped = records
    },
    reset() {
      for (const client of clients) client.resetAndDestroy()
    },
  }
}

function sizeOf(received: Buffer): number {
  return received.length < 5 ? Infinity : 5 + received.readUInt16BE(3)
}
