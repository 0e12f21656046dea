import { test } from 'tap'
import { createResolve } from '../../../src/upstream/connect/resolve.ts'
import { routeTo } from '../../../src/upstream/connect/route.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

/** Opens a connection to `cats.example` on a route with a fixed address. */
function open(port: number, isPublic: boolean) {
  const { connect } = routeTo(new URL('http://cats.example'), {
    secureContext: undefined,
    proxy: undefined,
    resolve: createResolve(() => {
      throw new Error('the name must not be looked up')
    }),
    connectTimeout: 1000,
    isPublic,
    target: { hostname: '127.0.0.1', port },
  })
  return new Promise<{ error: unknown; remoteAddress?: string | undefined }>(resolve => {
    connect(
      { hostname: 'cats.example', host: 'cats.example', protocol: 'http:', port: '', servername: '' },
      (error, socket) => {
        resolve({ error, remoteAddress: socket?.remoteAddress })
        socket?.destroy()
      },
    )
  })
}

test('a route with a fixed address dials it in place of the name', async t => {
  const { port } = await rawUpstream(t, json('well'))
  t.same(await open(port, false), { error: null, remoteAddress: '127.0.0.1' })
})

test('a fixed address that is not public is not dialled with publicOnly', async t => {
  const server = await rawUpstream(t, json('well'))
  t.match(await open(server.port, true), {
    error: { code: 'ADDRESS_REFUSED', message: 'cats.example is at 127.0.0.1, which is not public' },
  })
  t.equal(server.connections, 0)
})
