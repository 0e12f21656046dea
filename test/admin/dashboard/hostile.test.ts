import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { maxReaders } from '../../../src/admin/dashboard/readers.ts'
import { until } from '../../helpers/until.ts'
import { upstreamRow } from '../../overview/helpers/samples.ts'
import { openReader } from './helpers/open-reader.ts'
import { serveDashboard } from './helpers/served-dashboard.ts'

/** Sends bytes on a connection of its own, and returns what comes back. */
async function send(t: Test, port: number, bytes: string) {
  const socket: Socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const seen = { text: '', isClosed: false }
  socket.on('data', data => (seen.text += String(data)))
  socket.on('close', () => (seen.isClosed = true))
  socket.on('error', () => {})
  await once(socket, 'connect').catch(() => {})
  socket.write(bytes)
  return { socket, seen }
}

const ask = (headers = '') => `GET /dashboard/events HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`

test('a hundred connections leave room for the operator after they close, and no more than eight read', async t => {
  const { port, origin, live } = await serveDashboard(t)
  const all = await Promise.all(Array.from({ length: 100 }, () => send(t, port, ask())))
  await until(() => all.every(({ seen }) => seen.text !== '' || seen.isClosed))
  const reading = () => all.filter(({ seen }) => seen.text.startsWith('HTTP/1.1 200') && !seen.isClosed).length
  // The first refused one ends the oldest, whose place another one may have taken.
  await until(() => reading() <= maxReaders)
  t.ok(reading() >= maxReaders - 1, `${reading()} read`)
  t.ok(all.filter(({ seen }) => seen.text.startsWith('HTTP/1.1 200')).length <= maxReaders + 1)
  for (const { socket } of all) socket.destroy()
  await until(() => !live.isWatched)
  t.equal((await fetch(`${origin}/metrics`)).status, 200)
  const { next } = await openReader(t, origin)
  t.match(await next('hello'), { type: 'hello' })
})

test('a reader that ends its side of the connection is not counted', async t => {
  const { port, live } = await serveDashboard(t)
  const { socket, seen } = await send(t, port, ask())
  await until(() => seen.text.includes('event: hello'))
  socket.end()
  await until(() => !live.isWatched)
  await until(() => seen.isClosed)
  t.ok(seen.isClosed)
})

test('ranges, event ids and preconditions of a request change nothing', async t => {
  const { port, live } = await serveDashboard(t)
  for (const headers of [
    'range: bytes=0-1\r\n',
    `last-event-id: ${'9'.repeat(8000)}\r\n`,
    'last-event-id: x\r\nlast-event-id: y\r\n',
    'if-none-match: *\r\n',
    'accept: application/json;q=0\r\n',
    'accept-encoding: br\r\n',
    'expect: 100-continue\r\n',
  ]) {
    const { socket, seen } = await send(t, port, ask(headers))
    await until(() => seen.text.includes('event: hello\nid: '))
    t.match(seen.text, /HTTP\/1\.1 200 OK\r\n/, headers.slice(0, 40))
    socket.destroy()
    await until(() => !live.isWatched)
  }
})

test('a second request on the connection of a reader is not answered within the events', async t => {
  const { port, live } = await serveDashboard(t)
  const { socket, seen } = await send(t, port, ask() + ask())
  await until(() => seen.text.includes('event: hello'))
  live.tick(Date.now() + 500, { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: [] })
  await until(() => seen.text.includes('event: sample'))
  t.equal(seen.text.split('HTTP/1.1').length, 2)
  socket.destroy()
  await until(() => !live.isWatched)
})

test('names with markup, controls and line breaks stay within their event', async t => {
  const name = '<img src=x onerror=alert(1)>\u202E\n\ndata: {}\u0000'
  const { origin, live } = await serveDashboard(t, {
    watched: { upstreams: [], aggregates: [{ name, method: 'GET', url: '/\n\nevent: bye', isBulk: false }] },
  })
  const { next, events } = await openReader(t, origin)
  t.match(await next('hello'), { aggregates: [{ name, url: '/\n\nevent: bye' }] })
  live.tick(Date.now() + 500, { upstreams: [], aggregates: [] })
  await next('sample')
  t.same(
    events.map(({ type }) => type),
    ['hello', 'sample'],
  )
})
