import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { LentSockets } from '../../../src/server/cluster/lent-sockets.ts'

interface Connection {
  close(): void
}

/** The internal handle of a server. */
interface Handle {
  onconnection: (error: number, connection: Connection) => void
  close(): void
}

/** Starts a server that greets each caller with a name. */
async function greeter(t: Test, name: string, { host = '127.0.0.1', port = 0 } = {}): Promise<Server> {
  const server = createServer(socket => socket.end(name))
  server.listen({ host, port })
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}

const portOf = (server: Server) => (server.address() as { readonly port: number }).port

async function greeting(port: number): Promise<string> {
  return text(connect(port, '127.0.0.1'))
}

/** Takes the handle of a server, as `node:cluster` does, and closes each connection that it accepts. */
async function roundRobin(port: number) {
  const server = createServer()
  server.listen({ host: '127.0.0.1', port })
  const accepted: Connection[] = []
  let handle: Handle | undefined
  server.once('listening', () => {
    const listening = server as unknown as { _handle: Handle | null }
    handle = listening._handle as Handle
    listening._handle = null
    handle.onconnection = (_error, connection) => {
      accepted.push(connection)
      connection.close()
    }
  })
  await once(server, 'listening')
  return { accepted, close: () => handle?.close() }
}

/** Connects, and resolves when the kernel has accepted the connection. */
async function caller(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

test('a server at the address of a lent socket gets the socket, and its connections wait when it closes', async t => {
  const owner = await greeter(t, 'owner')
  const port = portOf(owner)
  const sockets = new LentSockets([owner])
  t.equal(await greeting(port), 'owner', 'the owner accepts until another server listens')
  const first = await roundRobin(port)
  t.equal(owner.listening, false)
  t.equal(await greeting(port), '')
  t.equal(first.accepted.length, 1)

  first.close()
  const waiting = await caller(t, port)
  const closed = once(waiting.resume(), 'close')
  const second = await roundRobin(port)
  await closed
  t.equal(second.accepted.length, 1, 'the connection that waited')

  second.close()
  const later = greeting(port)
  await sockets.takeBack()
  t.equal(await later, 'owner')
  t.equal(owner.listening, true)
  sockets.release()
})

test('a socket is taken back when its user has closed it', async t => {
  const owner = await greeter(t, 'owner')
  const port = portOf(owner)
  const sockets = new LentSockets([owner])
  const user = await roundRobin(port)
  const listened: unknown[] = []
  const note = (message: unknown) => listened.push((message as { readonly options: object }).options)
  subscribe('tracing:net.server.listen:asyncStart', note)
  t.teardown(() => unsubscribe('tracing:net.server.listen:asyncStart', note))
  const back = sockets.takeBack()
  user.close()
  await back
  t.equal(await greeting(port), 'owner')
  t.match(listened, [{ port, backlog: 4096 }], 'with the same backlog')
  sockets.release()
})

test('a released socket is closed by its user, or at once if it has none', async t => {
  for (const closesFirst of [true, false]) {
    const owner = await greeter(t, 'owner')
    const port = portOf(owner)
    const sockets = new LentSockets([owner])
    const user = await roundRobin(port)
    const steps = [() => user.close(), () => sockets.release()]
    for (const step of closesFirst ? steps : steps.toReversed()) step()
    await t.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
  }
})

test('each server of one port at several addresses lends its own socket', async t => {
  const owner = await greeter(t, 'owner')
  const port = portOf(owner)
  const other = await greeter(t, 'other owner', { host: '127.0.0.2', port })
  const sockets = new LentSockets([owner, other])
  const user = await roundRobin(port)
  t.equal(other.listening, true)
  t.equal(await text(connect(port, '127.0.0.2')), 'other owner')
  t.equal(await greeting(port), '')
  sockets.release()
  user.close()
})

test('an IPv6 address has several forms', async t => {
  const owner = createServer(socket => socket.end('owner'))
  owner.listen({ host: '::1', port: 0 })
  await once(owner, 'listening')
  const sockets = new LentSockets([owner])
  const user = createServer(socket => socket.end('user'))
  user.listen({ host: '0:0:0:0:0:0:0:1', port: portOf(owner) })
  await once(user, 'listening')
  t.equal(await text(connect(portOf(user), '::1')), 'user')
  sockets.release()
  user.close()
})

test('a server at another address, and one without an address, are not affected', async t => {
  const owner = await greeter(t, 'owner')
  const sockets = new LentSockets([owner, createServer()])
  const other = await greeter(t, 'other')
  t.equal(await greeting(portOf(other)), 'other')
  t.equal(await greeting(portOf(owner)), 'owner')
  sockets.release()
  const again = createServer()
  again.listen({ host: '127.0.0.1', port: portOf(owner) })
  await t.rejects(once(again, 'listening'), { code: 'EADDRINUSE' })
})
