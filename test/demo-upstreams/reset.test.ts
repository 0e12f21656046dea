import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'tap'
import { reset } from '../../src/demo-upstreams/reset.ts'

for (const [state, prepare] of [
  ['open', () => {}],
  ['waiting for its own FIN to leave', (socket: Socket) => socket.end('bye')],
] as const) {
  test(`a connection that is ${state} is closed, on both sides`, async t => {
    const failures: unknown[] = []
    const server = createServer(socket => {
      socket.on('error', error => failures.push(error))
      prepare(socket)
      reset({ socket })
      server.close()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const caller = connect((server.address() as AddressInfo).port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    await Promise.all([new Promise(resolve => caller.on('close', resolve)), once(server, 'close')])
    t.strictSame(failures, [])
  })
}
