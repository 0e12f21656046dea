import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { streamFormat } from '../../../src/http/stream/stream-format.ts'
import { readStreamOptions, type StreamOptions } from '../../../src/http/stream/stream-options.ts'
import { StreamWriter } from '../../../src/http/stream/stream-writer.ts'
import type { WaitingEvent } from '../../../src/http/stream/waiting-event.ts'
import { turn } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'
import { chunksOf, openResponse, type OpenResponse } from './helpers/open-response.ts'

const run = '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10'

const event = (value: unknown): WaitingEvent => ({ event: 'source', text: () => JSON.stringify(value) })

function writerOf({ response }: OpenResponse, options: StreamOptions = {}, type: 'ndjson' | 'sse' = 'ndjson') {
  const drained: number[] = []
  const format = streamFormat(type, { run, attempt: 1 })
  const limits = readStreamOptions('app', options)
  const writer = new StreamWriter(response, format, limits, () => drained.push(performance.now()))
  response.writeHead(200)
  writer.start(event('plan'))
  return { writer, drained }
}

/** Sends events until the connection takes no more of them. Returns their number. */
async function fill({ response }: OpenResponse, writer: StreamWriter): Promise<number> {
  let count = 0
  let isTaken = true
  for (let batch = 0; batch < 1000 && isTaken; batch++) {
    for (let index = 0; index < 100; index++) writer.send(event([count++, 'a'.repeat(1000)]))
    isTaken = false
    // The connection takes the bytes of a caller that reads within a few turns.
    for (let turns = 0; turns < 20 && !isTaken; turns++) {
      await turn()
      isTaken = writer.isDrained
    }
  }
  if (response.writableLength === 0) throw new Error('the connection has taken all bytes')
  return count
}

test('the events of one turn are one chunk, and the first and the last event do not wait', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open)
  await until(() => writer.isDrained)
  for (const value of [1, 2, 3]) writer.send(event(value))
  await until(() => writer.isDrained)
  writer.send(event(4))
  writer.end(event('last'))
  writer.send(event('late'))
  writer.end(event('later'))
  t.same(await chunksOf(open.caller), ['"plan"\n', '1\n2\n3\n', '4\n"last"\n'])
})

test('server-sent events have their name, and an id with their number or the end', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open, {}, 'sse')
  writer.send(event(1))
  writer.end(event('last'))
  t.equal(
    (await chunksOf(open.caller)).join(''),
    `retry: 1000\n\nid: ${run}.1.1\nevent: source\ndata: "plan"\n\n` +
      `id: ${run}.1.2\nevent: source\ndata: 1\n\nid: ${run}.1.end\nevent: source\ndata: "last"\n\n`,
  )
})

test('the text of events that a caller does not read never exceeds maxBytes by more than one event', async t => {
  const open = await openResponse(t)
  const maxBytes = 8192
  const { writer } = writerOf(open, { maxBytes })
  open.caller.pause()
  const count = await fill(open, writer)
  t.ok(open.response.writableLength <= maxBytes + 1100, `${open.response.writableLength} bytes`)
  let largest = 0
  const watch = setInterval(() => (largest = Math.max(largest, open.response.writableLength)), 1)
  writer.end(event('last'))
  const lines = (await chunksOf(open.caller)).join('').trimEnd().split('\n')
  clearInterval(watch)
  t.ok(largest <= maxBytes + 1200, `${largest} bytes while it reads`)
  t.equal(lines.length, count + 2)
  t.same(
    lines.slice(1, -1).map(line => (JSON.parse(line) as [number])[0]),
    Array.from({ length: count }, (_, index) => index),
    'every event, in order',
  )
})

test('a caller that is behind misses items and no other event', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open, { maxBytes: 4096 })
  open.caller.pause()
  const count = await fill(open, writer)
  for (let index = 0; index < 100; index++) writer.sendUnlessBehind(event(`item ${index}`))
  writer.send(event('source'))
  writer.end(event('last'))
  const lines = (await chunksOf(open.caller)).join('').trimEnd().split('\n')
  t.same(lines.slice(count + 1), ['"source"', '"last"'])
})

test('a burst of items within one turn reaches a caller that reads', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open, { maxBytes: 4096 })
  await until(() => writer.isDrained)
  for (let index = 0; index < 17; index++) writer.sendUnlessBehind(event(index))
  writer.end(event('last'))
  const lines = (await chunksOf(open.caller)).join('').trimEnd().split('\n')
  t.equal(lines.length, 19)
})

test('the caller is reported as drained when it has read all events', async t => {
  const open = await openResponse(t)
  const { writer, drained } = writerOf(open)
  t.notOk(writer.isDrained)
  await until(() => drained.length === 1)
  writer.send(event(1))
  t.notOk(writer.isDrained)
  await until(() => drained.length === 2)
  writer.end(event('last'))
  await chunksOf(open.caller)
  t.equal(drained.length, 2, 'the end is not reported')
})

test('a last event of any length is written in parts of less than 64 KiB', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open)
  // The pairs are at odd indexes, so that parts of even length would end within one.
  const long = `a${'\u{1f408}'.repeat(100_000)}`
  writer.end(event(long))
  const chunks = await chunksOf(open.caller)
  t.equal(chunks.join(''), `"plan"\n${JSON.stringify(long)}\n`)
  t.ok(chunks.every(chunk => Buffer.byteLength(chunk) < 64 * 1024))
})

test('a caller is stuck when it has read nothing for readTimeout, and not before', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open, { readTimeout: 1000 })
  await until(() => writer.isDrained)
  const later = performance.now() + 100_000
  t.notOk(writer.isStuck(later), 'nothing waits to be read')
  open.caller.pause()
  await fill(open, writer)
  t.notOk(writer.isStuck(performance.now()))
  t.ok(writer.isStuck(later))
  open.caller.resume()
  await until(() => writer.isDrained)
  t.notOk(writer.isStuck(later))
})

test('server-sent events have a heartbeat after the time without an event, and lines have none', async t => {
  for (const type of ['sse', 'ndjson'] as const) {
    const open = await openResponse(t)
    const { writer } = writerOf(open, { heartbeat: 1000 }, type)
    await until(() => writer.isDrained)
    writer.isStuck(performance.now() + 900)
    t.ok(writer.isDrained)
    writer.isStuck(performance.now() + 1000)
    t.equal(writer.isDrained, type === 'ndjson')
    writer.end(event('last'))
    const chunks = await chunksOf(open.caller)
    t.equal(chunks.includes(':\n\n'), type === 'sse')
  }
})

test('a closed connection drops the events that wait', async t => {
  const open = await openResponse(t)
  const { writer } = writerOf(open)
  open.caller.pause()
  await fill(open, writer)
  writer.close()
  t.ok(writer.isDrained)
  writer.send(event(1))
  writer.end(event('last'))
  t.ok(writer.isDrained, 'and later events too')
  t.notOk(writer.isStuck(performance.now() + 100_000))
})

test('the connection of a caller with HTTP/1.0 ends the body', async t => {
  const open = await openResponse(t, '1.0')
  const { writer } = writerOf(open)
  writer.end(event('last'))
  t.match(await text(open.caller), /\r\n\r\n"plan"\n"last"\n$/)
})
