import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { Test } from 'tap'
import { selfSigned } from './self-signed.ts'

/**
 * Opens both ends of a connection; ours is not read. `onOpened` is called before our end is polled again after the
 * server has its end, and has sent its session tickets.
 */
export async function socketPair(
  t: Test,
  isSecure = false,
  onOpened = (_ours: Socket) => {},
): Promise<{ readonly ours: Socket; readonly theirs: Socket }> {
  const server = isSecure ? createTlsServer({ ...selfSigned, noDelay: true }) : createServer({ noDelay: true })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const place = { port: (server.address() as AddressInfo).port, host: '127.0.0.1' }
  const opened = isSecure ? 'secureConnect' : 'connect'
  const ours = isSecure ? connectTls({ ...place, ca: selfSigned.cert }) : connect(place)
  ours.on('error', () => {})
  const isOpen = once(ours, opened)
  const [theirs] = await new Promise<[Socket]>(resolve => {
    server.once(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
      setImmediate(() => {
        onOpened(ours)
        resolve([socket])
      })
    })
  })
  await isOpen
  t.teardown(() => {
    ours.destroy()
    theirs.on('error', () => {}).destroy()
    server.close()
  })
  return { ours, theirs }
}
