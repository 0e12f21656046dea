import { Socket, type AddressInfo } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { holdTurn, loopTurns } from '../helpers/loop-turns.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { turn } from '../helpers/turn.ts'

test('a large reply is written in its own event-loop turn', async t => {
  const turns = loopTurns()
  const at: number[] = []
  const { origin } = await rawUpstream(t, json('x'.repeat(200_000)))
  const output = z.string().transform(text => {
    at.push(turns.count)
    holdTurn()
    return text.length
  })
  const upstream = defineUpstream('large', { origin }, { get: operation({ path: '/', output }) })
  const described = aggregate('large', { url: '/large' })
    .required('part', () => upstream.get())
    .reply(z.any(), ({ part }) => ({
      toJSON() {
        at.push(turns.count)
        return part
      },
    }))
  const app = buildApp([described])
  t.teardown(() => app.close())
  const { body } = await app.inject('/large')
  turns.stop()
  t.match(JSON.parse(body), { data: 200_000, complete: true })
  t.equal(at.length, 2)
  t.ok((at[1] ?? 0) > (at[0] ?? 0), at.join(', '))
})

test('a large reply is not written for a caller that has closed the connection', async t => {
  let isWritten = false
  let reads = 0
  const owed: (() => void)[] = []
  const raw = await rawUpstream(t, socket => owed.push(() => socket.write(json('x'.repeat(200_000)))))
  const caller = new Socket()
  // He goes while the first part is read; the second, which completes the reply, is read before anybody hears of it.
  const output = z.string().transform(text => {
    if (++reads === 1) caller.resetAndDestroy()
    holdTurn()
    return text.length
  })
  const upstream = defineUpstream('large', { origin: raw.origin }, { get: operation({ path: '/', output }) })
  const described = aggregate('large', { url: '/large' })
    .each('parts', () => [upstream.get(), upstream.get()])
    .reply(z.any(), ({ parts }) => ({
      toJSON() {
        isWritten = true
        return parts
      },
    }))
  const app = buildApp([described])
  t.teardown(() => app.close())
  const gone = new Promise(resolve => {
    app.server.on('connection', socket => socket.on('close', resolve))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  caller.connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  caller.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n')
  await raw.asked(2)
  for (const answer of owed) answer()
  await gone
  for (let turns = 0; turns < 20; turns++) await turn()
  t.equal(isWritten, false)
})
