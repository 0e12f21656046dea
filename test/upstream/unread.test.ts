import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { hasUnread } from '../../src/upstream/unread.ts'

/** Two ends of a connection; ours is not read. */
async function pair (t: Test): Promise<{ readonly ours: Socket, readonly theirs: Socket }> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const ours = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  const [theirs] = await once(server, 'connection') as [Socket]
  ours.on('error', () => {})
  await once(ours, 'ready')
  t.teardown(() => {
    ours.destroy()
    theirs.on('error', () => {}).destroy()
    server.close()
  })
  return { ours, theirs }
}

test('bytes, the end and a reset are found before the event loop has seen them, and nothing where there is nothing', async t => {
  for (const [what, act] of Object.entries<(socket: Socket, done: () => void) => unknown>({
    bytes: (socket, done) => socket.write('x', done),
    'the end': (socket, done) => socket.end(done),
    'a reset': (socket, done) => socket.once('close', done).resetAndDestroy(),
  })) {
    const { ours, theirs } = await pair(t)
    t.equal(hasUnread(ours), false, 'nothing')
    const limit = Error.stackTraceLimit
    await new Promise<void>(resolve => {
      act(theirs, () => {
        t.equal(hasUnread(ours), true, what)
        resolve()
      })
    })
    t.equal(Error.stackTraceLimit, limit)
  }
})

test('a socket that is closed, or not there, has nothing', async t => {
  const { ours } = await pair(t)
  ours.destroy()
  t.equal(hasUnread(ours), false)
  t.equal(hasUnread(undefined), false)
})
