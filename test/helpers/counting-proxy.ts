import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'

export interface CountingProxy {
  readonly origin: string
  /** Connections open now, and the most there were at once. */
  readonly open: number
  readonly most: number
  /** Requests and answers that have begun. */
  readonly asked: number
  readonly answered: number
}

/** Stands before a server and counts, on its side of the wire, what a client holds of it. It ends with its thread. */
export async function countingProxy(origin: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(origin)
  const heads = (part: Buffer, start: string) => part.toString('latin1').split(start).length - 1
  let open = 0
  let most = 0
  let asked = 0
  let answered = 0

  const server = createServer(inner => {
    const outer = connect(Number(port), hostname)
    most = Math.max(most, ++open)
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      socket.on('error', () => {})
      socket.on('close', () => other.destroy())
      socket.pipe(other)
    }
    inner.on('close', () => {
      open--
    })
    inner.on('data', (part: Buffer) => {
      asked += heads(part, 'GET /')
    })
    outer.on('data', (part: Buffer) => {
      answered += heads(part, 'HTTP/1.1 ')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return open
    },
    get most() {
      return most
    },
    get asked() {
      return asked
    },
    get answered() {
      return answered
    },
  }
}
