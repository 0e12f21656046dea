import { once } from 'node:events'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { test, type Test } from 'tap'
import { serveApp } from '../helpers/served-app.ts'
import { hostileApp } from './helpers/hostile-app.ts'
import { wireRequest } from './helpers/wire-request.ts'
import { untilEvent } from '../helpers/until.ts'

/** A connection, and what has come over it. */
function caller(t: Test, port: number) {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const got: string[] = []
  socket.on('error', () => {})
  socket.on('data', (part: Buffer) => {
    got.push(part.toString('latin1'))
  })
  return { socket, text: () => got.join('') }
}

test('a request that never ends is cut in the end', async t => {
  const { app } = await hostileApp(t)
  t.ok(app.server.headersTimeout > 0, 'within its head')
  t.ok(app.server.requestTimeout > 0, 'and within its body')
})

for (const [what, bytes] of [
  ['bytes that are no HTTP', 'rubbish\r\n\r\n'],
  ['an expectation that cannot be met', wireRequest({ headers: ['expect: foo'] })],
  ['CONNECT', wireRequest({ method: 'CONNECT', target: 'evil.example:443' })],
] as const) {
  test(`${what} after a request: no refusal is written into that request's answer`, async t => {
    const parts = new Readable({ read() {} })
    parts.push('first part')
    const { app, port } = await serveApp(t, {
      before: each => {
        each.get('/long', (_request, reply) => reply.send(parts))
      },
    })
    const { socket, text } = caller(t, port)
    socket.write(wireRequest({ target: '/long' }))
    await untilEvent(socket, 'data', () => text().includes('first part'))
    const seen = Promise.race(['clientError', 'checkExpectation', 'connect'].map(event => once(app.server, event)))
    socket.write(bytes)
    await seen
    parts.push(null)
    await Promise.race([once(socket, 'close'), once(socket, 'data')])
    t.match(text(), /^HTTP\/1\.1 200 /)
    t.notMatch(text(), /first part\r\nHTTP\/1\.1/)
  })
}

test('a caller that disconnects within its request causes no error in the service', async t => {
  const { app, port, errors } = await hostileApp(t)
  for (const bytes of [
    'GET /v1/cat-f',
    'GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\n',
    'POST /v1/postcards HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
    wireRequest({}),
    wireRequest({ target: '/v1/breeds/siamese', rest: 'rubbish' }),
  ]) {
    const seen = once(app.server, 'connection')
    const { socket } = caller(t, port)
    socket.write(bytes)
    await seen
    socket.resetAndDestroy()
  }
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/cat-facts`)).status, 200)
  t.same(errors(), [])
})
