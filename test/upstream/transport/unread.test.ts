import type { Socket } from 'node:net'
import { test } from 'tap'
import { hasUnread } from '../../../src/upstream/transport/unread.ts'
import { socketPair } from '../../helpers/socket-pair.ts'
import { until } from '../../helpers/until.ts'

/** The socket that carries TLS, or the socket itself. */
function below(socket: Socket): Socket {
  return (socket as unknown as { readonly _parent?: Socket | null })._parent ?? socket
}

test('bytes, the end and a reset are found before the event loop has seen them, and nothing where there is nothing', async t => {
  for (const isSecure of [false, true]) {
    for (const [what, act] of Object.entries<(socket: Socket, done: () => void) => unknown>({
      bytes: (socket, done) => socket.write('x', done),
      'the end': (socket, done) => socket.end(done),
      'a reset': (socket, done) => below(socket).once('close', done).resetAndDestroy(),
    })) {
      const { ours, theirs } = await socketPair(t, isSecure)
      t.equal(hasUnread(ours), false, 'nothing')
      const limit = Error.stackTraceLimit
      await new Promise<void>(resolve => {
        act(theirs, () => {
          t.equal(hasUnread(ours), true, `${what}, ${isSecure ? 'with' : 'without'} TLS`)
          resolve()
        })
      })
      t.equal(Error.stackTraceLimit, limit)
    }
  }
})

test('bytes that the event loop has read, and that are not taken yet, are found', async t => {
  for (const isSecure of [false, true]) {
    const { ours, theirs } = await socketPair(t, isSecure)
    ours.on('readable', () => {})
    theirs.write('x')
    await until(() => ours.readableLength !== 0)
    t.equal(hasUnread(ours), true)
  }
})

test('session tickets do not count, TLS takes them, and what follows is read as ever', async t => {
  let sessions = 0
  let isUnread = true
  const { ours, theirs } = await socketPair(t, true, ours => {
    ours.on('session', () => {
      sessions++
    })
    isUnread = hasUnread(ours)
  })
  t.equal(isUnread, false)
  t.ok(sessions > 0)
  theirs.write('well')
  t.equal(
    String(
      await new Promise(resolve => {
        ours.once('data', resolve)
      }),
    ),
    'well',
  )
})

test('bytes that are not TLS are found, and end the connection', async t => {
  const { ours, theirs } = await socketPair(t, true)
  await new Promise(resolve => {
    below(theirs).write('no TLS at all', resolve)
  })
  t.equal(hasUnread(ours), true)
})

test('a socket that is closed, or not there, has nothing', async t => {
  const { ours } = await socketPair(t)
  ours.destroy()
  t.equal(hasUnread(ours), false)
  t.equal(hasUnread(undefined), false)
})
