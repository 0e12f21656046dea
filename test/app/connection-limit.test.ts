import { EventEmitter, once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { untilEvent } from '../helpers/until.ts'

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${more}\r\n`

/**
 * An app that may have eight connections, one of them for callers that are refused, and a run that waits until the test
 * ends it.
 */
async function arrange(t: Test, maxConnections = 8) {
  const owed: (() => void)[] = []
  const runs = new EventEmitter()
  const hung = aggregate('hung', { url: '/hung', deadline: 60_000 })
    .required(
      'it',
      () =>
        new Promise<number>(resolve => {
          owed.push(() => resolve(1))
          runs.emit('run')
        }),
    )
    .reply(z.unknown(), ({ it }) => it)
  const lines: { readonly level: number; readonly msg: string; readonly refused?: number }[] = []
  const app = buildApp([hung], {
    maxConnections,
    metrics: true,
    metricsSource: { render: async () => ({ contentType: 'text/plain; charset=utf-8', body: 'cats 9\n' }) },
    logger: {
      level: 'info',
      stream: {
        write: line => {
          lines.push(JSON.parse(line))
        },
      },
    },
  })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo

  /** Connects, sends a request, and waits for what is asked for. */
  async function open(path = '', more = '') {
    const socket: Socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    let text = ''
    const closed = new Promise<string>(resolve => {
      socket
        .on('error', error => {
          text += (error as NodeJS.ErrnoException).code
        })
        .on('data', part => {
          text += String(part)
        })
        .on('close', () => resolve(text))
    })
    await once(socket, 'connect')
    if (path !== '') socket.write(get(path, more))
    return {
      socket,
      closed,
      heard: async (words: string) => {
        await untilEvent(socket, 'data', () => text.includes(words))
        return text
      },
    }
  }
  const said = (words: string) => lines.filter(({ msg }) => msg.includes(words))
  async function runsUnderWay(count: number): Promise<void> {
    await untilEvent(runs, 'run', () => owed.length >= count)
  }

  return { app, open, owed, said, runsUnderWay }
}

test('at the limit a new connection gets 503 with retry-after, requests in flight continue, and the log has one line', async t => {
  const { open, owed, said, runsUnderWay } = await arrange(t)
  const held = await Promise.all(Array.from({ length: 7 }, () => open('/hung')))
  await runsUnderWay(7)
  for (let times = 0; times < 12; times++) {
    const text = await (await open('/other')).closed
    t.match(text, /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n.*\r\nconnection: close\r\n.*"code":"OVERLOADED"/s)
  }
  t.equal(said('connection limit reached').length, 1)
  for (const pay of owed) pay()
  for (const { closed } of held)
    t.match(
      await closed,
      /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is,
      'an answer at the limit is the last of its connection',
    )
  const after = await open('/health/live')
  t.match(await after.heard('"live"'), /^HTTP\/1\.1 200 .*\r\nconnection: keep-alive\r\n/is)
  t.match(said('below the limit'), [{ level: 30, refused: 12 }])
})

test('at the limit health routes are served, also in a flood of refused connections with no, half or all of a request', async t => {
  const { open, owed, said, runsUnderWay } = await arrange(t, 80)
  await Promise.all(Array.from({ length: 70 }, () => open('/hung')))
  await runsUnderWay(70)
  for (let times = 0; times < 5; times++) {
    const flood = await Promise.all(
      Array.from({ length: 9 }, (_, index) => open(['', '/other', '/health/live'][index % 3])),
    )
    if (times === 0) flood[0]?.socket.write('GET /health/li')
    t.match(await (await open('/health/live')).heard('"live"'), /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is)
    t.match(await (await open('/health/ready')).heard('"ready"'), /^HTTP\/1\.1 200 /)
  }
  t.equal(said('connection limit reached').length, 1)
  for (const pay of owed) pay()
})

test('at the limit a scrape is served, and a path that begins as that of the metrics is not', async t => {
  const { open, owed, runsUnderWay } = await arrange(t, 24)
  await Promise.all(Array.from({ length: 21 }, () => open('/hung')))
  await runsUnderWay(21)
  for (const path of ['/metrics', '/metrics?name=x'])
    t.match(await (await open(path)).closed, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n.*cats 9/is, path)
  t.match(await (await open('/metricsx')).closed, /^HTTP\/1\.1 503 /)
  for (const pay of owed) pay()
})

test('at the limit a silent connection gets 503, and one with part of a health request is closed', async t => {
  const { open, owed, runsUnderWay } = await arrange(t, 24)
  await Promise.all(Array.from({ length: 21 }, () => open('/hung')))
  await runsUnderWay(21)
  const mute = await open()
  const part = await open()
  part.socket.write('GET /health/live HTTP/1.1\r\nhost')
  t.match(await mute.closed, /^HTTP\/1\.1 503 .*"code":"OVERLOADED"/s)
  t.equal(await part.closed, '')
  for (const pay of owed) pay()
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

test('each of more callers than the limit gets a reply', async t => {
  const { open } = await arrange(t, 40)
  const texts = await Promise.all(
    Array.from({ length: 200 }, async () => (await open('/health/live', 'connection: close\r\n')).closed),
  )
  t.same(
    texts.filter(text => !/^HTTP\/1\.1 (?:200|503) /.test(text)),
    [],
  )
})

test('refused callers do not delay draining', async t => {
  const { app, open, owed, runsUnderWay } = await arrange(t, 2)
  const held = await open('/hung')
  await runsUnderWay(1)
  const refused = await open()
  await refused.heard('OVERLOADED')
  const closing = app.close()
  owed[0]?.()
  await closing
  t.match(await held.closed, /^HTTP\/1\.1 200 /)
  t.match(await refused.closed, /OVERLOADED/)
})
