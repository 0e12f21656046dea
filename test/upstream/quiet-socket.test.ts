import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'tap'
import { quietSocket } from '../../src/upstream/quiet-socket.ts'

test('bytes that come after the last poll, just before a socket is handed over, make it unusable', async t => {
  for (const isGreeting of [true, false]) {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const ours = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
    const [theirs] = await once(server, 'connection') as [Socket]
    await once(ours, 'ready')
    t.teardown(() => {
      ours.destroy()
      theirs.on('error', () => {}).destroy()
      server.close()
    })

    // In the check phase in which the socket is handed over, and before that.
    if (isGreeting) setImmediate(() => setImmediate(() => theirs.write('x')))
    const opened = await new Promise(resolve => {
      quietSocket((_, callback) => { callback(null, ours) })({ hostname: '127.0.0.1', protocol: 'http:', port: '1' }, (error, socket) => { resolve(error ?? socket) })
    })
    if (isGreeting) t.match(opened, { code: 'CONNECTION_UNUSABLE' })
    else t.equal(opened, ours)
    t.equal(ours.destroyed, isGreeting)
  }
})
