import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { readAnswers, type Answer } from './read-answers.ts'

/** What came of a client that sends until its connection is closed. */
export interface Flooded {
  readonly answers: readonly Answer[]
  /** Received bytes that are not a whole answer. */
  readonly left: string
  /** Bytes that the service has read from the connection. */
  readonly read: number
}

/**
 * Sends a head, and then the same piece again and again, as fast as it can, until the service closes the connection.
 */
export async function flood(server: Server, head: string, piece: Buffer, isBare = false): Promise<Flooded> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = await Promise.all([acceptedSocket(server, socket), once(socket, 'connect')])
  const closed = once(accepted, 'close')
  let received = ''
  socket.on('error', () => {})
  socket.on('data', part => {
    received += part.toString('latin1')
  })
  socket.write(head, 'latin1')
  const push = () => {
    while (socket.writable && socket.write(piece));
  }
  socket.on('drain', push)
  push()
  await closed
  socket.destroy()
  return { ...readAnswers(received, () => isBare), read: accepted.bytesRead }
}

/** Resolves with the service's side of a connection. Other tests of the same server connect at the same time. */
function acceptedSocket(server: Server, socket: Socket): Promise<Socket> {
  return new Promise(resolve => {
    const compare = (accepted: Socket) => {
      if (accepted.remotePort !== socket.localPort) return
      server.off('connection', compare)
      resolve(accepted)
    }
    // More than ten floods may wait for their connections.
    server.setMaxListeners(100)
    server.on('connection', compare)
  })
}
