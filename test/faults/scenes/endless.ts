import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { flood } from '../../hostile/helpers/flood.ts'
import { calm, Id, stage, Word, wordPath } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { until } from '../../helpers/until.ts'

const block = Buffer.alloc(64 * 1024, ' ')
const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])
const json = { 'content-type': 'application/json' }

async function told(t: Test, bodiesBytes?: number) {
  const upstream = await rawUpstream(t, well)
  const asked = defineUpstream('asked', { origin: upstream.origin }, { word: operation(wordPath) })
  const taking = aggregate('taking', { url: '/told', body: Id.extend({ padding: z.string().optional() }) })
    .required('part', ({ body }) => asked.word({ id: body.id }))
    .reply(Word, ({ part }) => part)
  const { app, get } = await stage(t, [taking], {
    pressure: { ...calm, ...(bodiesBytes !== undefined && { bodiesBytes }) },
  })
  const ask = () => get('/told', { method: 'POST', headers: json, body: '{"id":"a"}' })
  return { upstream, app, ask }
}

/** Endless bodies of requests that are answered without their body. */
export async function unread(t: Test): Promise<void> {
  const { upstream, app, ask } = await told(t)
  const lines = [
    ['POST /nowhere', 404],
    ['PUT /told', 405],
    ['POST /told', 415],
    ['GET /health/live', 200],
    ['GET /docs', 200],
    ['OPTIONS /told', 204],
  ] as const
  const framings = [
    ['content-length: 99999999999', block],
    ['transfer-encoding: chunked', chunk],
  ] as const
  await Promise.all(
    lines.flatMap(([line, status]) =>
      framings.map(async ([framing, piece]) => {
        const { answers, read } = await flood(
          app.server,
          `${line} HTTP/1.1\r\nhost: a\r\ncontent-type: text/csv\r\n${framing}\r\n\r\n`,
          piece,
        )
        t.same(
          answers.map(each => each.status),
          [status],
          `${line}: one answer`,
        )
        t.ok(read < 512 * 1024, `${line}, ${framing}: ${read} bytes were read`)
      }),
    ),
  )
  t.equal(upstream.requests.length, 0)
  t.equal((await ask()).status, 200)
}

/** Endless bytes that the parser of HTTP skips. */
export async function skipped(t: Test): Promise<void> {
  const { app, ask } = await told(t)
  for (const [what, head, piece] of [
    ['empty lines', '\r\n', '\r\n'],
    ['white space of a header', 'GET /told HTTP/1.1\r\nhost:', ' '],
    [
      'zeros of a chunk',
      'POST /told HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
      '0',
    ],
  ] as const) {
    const { answers, read } = await flood(app.server, head, Buffer.from(piece.repeat((64 * 1024) / piece.length)))
    t.same(
      answers.map(each => each.status),
      [400],
      what,
    )
    t.comment(`${what}: ${read} bytes were read`)
  }
  t.equal((await ask()).status, 200)
}

/** Many bodies that do not end. */
export async function together(t: Test): Promise<void> {
  const { app, ask } = await told(t, 1_000_000)
  const { port } = app.server.address() as AddressInfo
  const refused = Promise.withResolvers<void>()
  let refusals = 0
  for (let times = 0; times < 40; times++) {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.once('data', data => {
      t.match(String(data), /^HTTP\/1\.1 503 [^]*"code":"OVERLOADED"/)
      if (++refusals === 30) refused.resolve()
    })
    await once(socket, 'connect')
    socket.write(
      `POST /told HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{"padding":"${'a'.repeat(90_000)}`,
    )
  }
  await refused.promise
  await until(async () => (await ask()).status === 200)
  t.pass('a body that ends is accepted, since bodies that have taken a second give way')
}
