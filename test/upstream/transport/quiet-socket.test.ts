import { test } from 'tap'
import { quietSocket } from '../../../src/upstream/transport/quiet-socket.ts'
import { socketPair } from '../../helpers/socket-pair.ts'

test('bytes that come after the last poll, just before a socket is handed over, make it unusable', async t => {
  for (const isSecure of [false, true]) {
    for (const isGreeting of [true, false]) {
      const { ours, theirs } = await socketPair(t, isSecure)
      // In the check phase in which the socket is handed over, and before that.
      if (isGreeting) setImmediate(() => setImmediate(() => theirs.write('x')))
      const opened = await new Promise(resolve => {
        quietSocket((_, callback) => {
          callback(null, ours)
        })({ hostname: '127.0.0.1', protocol: 'http:', port: '1' }, (error, socket) => {
          resolve(error ?? socket)
        })
      })
      if (isGreeting) t.match(opened, { code: 'CONNECTION_UNUSABLE' })
      else t.equal(opened, ours)
      t.equal(ours.destroyed, isGreeting)
    }
  }
})
