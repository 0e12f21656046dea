import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates, type TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { certificates } from './certificates.ts'
import { victim, well, type Victim } from './victim.ts'

// As if a well-known authority had signed them: what is wrong with each is then the only thing that is.
setDefaultCACertificates([
  ...getCACertificates('default'),
  selfSigned.cert,
  certificates.expired.cert,
  certificates.otherName.cert,
])

/** An upstream over TLS that shows something wrong until it recovers. */
export function shows(tls: TlsOptions): (t: Test) => Promise<Victim> {
  return async t => {
    const upstream = await rawUpstream(t, well, tls)
    return victim(upstream, () => upstream.present(selfSigned))
  }
}

/** Takes connections and never shakes hands, until it recovers. */
export async function aloof(t: Test): Promise<Victim> {
  const sockets = new Set<Socket>()
  let isWell = false
  // A TLS server shakes hands on any connection it is given.
  const tls = createTlsServer(selfSigned, socket => {
    let received = ''
    socket
      .on('error', () => {})
      .on('data', part => {
        received += part.toString('latin1')
        for (let end = received.indexOf('\r\n\r\n'); end !== -1; end = received.indexOf('\r\n\r\n')) {
          well(socket, { path: received.split(' ')[1] ?? '' })
          received = received.slice(end + 4)
        }
      })
  })
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)))
    if (isWell) tls.emit('connection', socket)
    else socket.resume()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    origin: `https://127.0.0.1:${port}`,
    port,
    requests: [],
    connections: 0,
    get open() {
      return sockets.size
    },
    async holds(count) {
      for (const socket of sockets) if (sockets.size > count && !socket.closed) await once(socket, 'close')
    },
    recover() {
      isWell = true
    },
  }
}
