import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`

/** An app that may have eight connections, one of them for callers that are refused, and a run that waits until the test ends it. */
async function arrange (t: Test, maxConnections = 8) {
  const owed: (() => void)[] = []
  const hung = aggregate('hung', { url: '/hung', deadline: 60_000 }).required('it', () => new Promise<number>(resolve => { owed.push(() => resolve(1)) })).reply(z.unknown(), ({ it }) => it)
  const lines: { readonly level: number, readonly msg: string, readonly refused?: number }[] = []
  const app = buildApp([hung], { maxConnections, logger: { level: 'info', stream: { write: line => { lines.push(JSON.parse(line)) } } } })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo

  /** Connects, sends a request, and waits for what is asked for. */
  async function open (path = '', more = '') {
    const socket: Socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let text = ''
    const closed = new Promise<string>(resolve => { socket.on('error', error => { text += (error as NodeJS.ErrnoException).code }).on('data', part => { text += String(part) }).on('close', () => resolve(text)) })
    await once(socket, 'connect')
    if (path !== '') socket.write(get(path, more))
    return { socket, closed, heard: async (words: string) => { while (!text.includes(words)) await once(socket, 'data'); return text } }
  }
  const said = (words: string) => lines.filter(({ msg }) => msg.includes(words))
  return { app, open, owed, said }
}

test('at the limit a new connection is answered 503 with retry-after, those with a request go on, and the log says so once', async t => {
  const { app, open, owed, said } = await arrange(t)
  const held = await Promise.all(Array.from({ length: 7 }, () => open('/hung')))
  while (owed.length < 7) await once(app.server, 'request')
  for (let times = 0; times < 12; times++) {
    const text = await (await open('/health/live')).closed
    t.match(text, /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*\r\nconnection: close\r\n.*"code":"OVERLOADED"/s)
  }
  t.equal(said('connection limit reached').length, 1)
  for (const pay of owed) pay()
  for (const { closed } of held) t.match(await closed, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is, 'an answer at the limit is the last of its connection')
  const after = await open('/health/live')
  t.match(await after.heard('"live"'), /^HTTP\/1\.1 200 .*\r\nconnection: keep-alive\r\n/is)
  t.match(said('below their limit'), [{ level: 30, refused: 12 }])
})

test('at the limit the oldest idle connection is closed for a new one', async t => {
  const { open } = await arrange(t)
  const kept = []
  for (let index = 0; index < 6; index++) {
    kept.push(await open('/health/live'))
    await kept[index]?.heard('"live"')
  }
  for (let index = 0; index < 3; index++) await open('/hung')
  t.match(await kept[0]?.closed, /"live"/)
  t.match(await kept[1]?.closed, /"live"/)
  t.notOk(kept[2]?.socket.destroyed)
})

test('more callers at once than there may be connections are each answered', async t => {
  const { open } = await arrange(t, 40)
  const texts = await Promise.all(Array.from({ length: 200 }, async () => (await open('/health/live', 'connection: close\r\n')).closed))
  t.same(texts.filter(text => !/^HTTP\/1\.1 (?:200|503) /.test(text)), [])
})

test('draining is not held by callers that were refused', async t => {
  const { app, open, owed } = await arrange(t, 2)
  const held = await open('/hung')
  while (owed.length < 1) await once(app.server, 'request')
  const refused = await open()
  await refused.heard('OVERLOADED')
  const closing = app.close()
  owed[0]?.()
  await closing
  t.match(await held.closed, /^HTTP\/1\.1 200 /)
  t.match(await refused.closed, /OVERLOADED/)
})
