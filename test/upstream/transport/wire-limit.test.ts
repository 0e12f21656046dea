import type { Socket } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { operation } from '../../../src/upstream/declare.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { loopTurns } from '../../helpers/loop-turns.ts'
import { json, type Script } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const ask = operation({ path: '/', output: z.unknown() })
const start = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const chunked = `${start}transfer-encoding: chunked\r\n\r\n`

/** What a parser takes in any amount, by where it stands: what comes first, and what comes again and again. */
const paddings: Readonly<Record<string, readonly [first: string, part: string]>> = {
  'empty lines before the answer': ['', '\r\n'],
  'a reason phrase': ['HTTP/1.1 200 ', 'a'],
  'spaces before a header value': [`${start}x-pad:`, ' '],
  'a chunk extension': [`${chunked}1;`, 'a'],
  'zeros of a chunk size': [chunked, '0'],
  'small chunks with long extensions': [chunked, `1;${'e'.repeat(1000)}\r\n1\r\n`],
  'spaces in a trailer': [`${chunked}1\r\n1\r\n0\r\nx-pad:`, ' '],
  'a chunk extension of a refused answer': ['HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n1;', 'a'],
}

/** Writes a part until the socket is closed; returns how much was written. */
function pour(socket: Socket, first: string, part: string): { readonly bytes: number } {
  const block = Buffer.alloc(part.length * Math.ceil(65_536 / part.length), part)
  socket.write(first)
  const more = () => {
    while (!socket.destroyed) if (!socket.write(block)) return void socket.once('drain', more)
  }
  more()
  return {
    get bytes() {
      return socket.bytesWritten
    },
  }
}

/** A body of JSON in chunks of one byte. */
const tiny = (bytes: number) => Buffer.from(`${chunked}1\r\n"\r\n${'1\r\na\r\n'.repeat(bytes - 2)}1\r\n"\r\n0\r\n\r\n`)

for (const [name, [first, part]] of Object.entries(paddings)) {
  test(`an answer that takes too much of the wire beside its body is cut: ${name}`, async t => {
    let poured: { readonly bytes: number } = { bytes: 0 }
    const { send, upstream } = await wire(
      t,
      socket => {
        poured = pour(socket, first, part)
      },
      ask,
      { maxResponseBytes: 64 * 1024, attemptTimeout: 30_000 },
    )
    t.match(await failure(send()), {
      code: first.includes('500') ? 'UPSTREAM_STATUS' : 'UPSTREAM_PROTOCOL',
      verdict: 'failed',
    })
    await upstream.deserted()
    // The system's buffers between the two take some megabytes.
    t.ok(poured.bytes < 16 * 1024 * 1024, `the upstream was stopped after ${poured.bytes} bytes`)
  })
}

test('an unsafe call whose answer takes too much of the wire has an unknown outcome', async t => {
  const { send } = await wire(
    t,
    socket => pour(socket, '', '\r\n'),
    operation({ method: 'POST', path: '/', output: z.unknown() }),
    { attemptTimeout: 30_000 },
  )
  t.match(await failure(send()), { code: 'OUTCOME_UNKNOWN', cause: { code: 'UPSTREAM_PROTOCOL' } })
})

test('an idle connection that sends empty lines without end is closed', async t => {
  const { send, upstream } = await wire(
    t,
    socket => {
      socket.write(json('well'))
      pour(socket, '', '\r\n')
    },
    ask,
  )
  t.equal((await send()).value, 'well')
  await upstream.deserted()
})

test('on a shared connection only the answer that is too large fails, and the count of the next answer starts at zero', async t => {
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => {
      if (index < 2) socket.write(Buffer.concat([Buffer.from('\r\n'.repeat(40_000)), json(index)]))
      else pour(socket, '', '\r\n')
    },
    ask,
    { pipelining: 4, concurrency: 4, attemptTimeout: 30_000 },
  )
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, () =>
      send().then(
        ({ value }) => value,
        (error: unknown) => error,
      ),
    ),
  )
  t.same(outcomes.slice(0, 2), [0, 1])
  t.match(outcomes[2], { code: 'UPSTREAM_PROTOCOL', verdict: 'failed' })
  t.match(outcomes[3], { code: 'UPSTREAM_RESET', verdict: 'ignored' })
  t.equal(upstream.connections, 1)
})

test('the overhead of legitimate answers is below the limit', async t => {
  const hint = `HTTP/1.1 103 Early Hints\r\nlink: ${'a'.repeat(15_000)}\r\n\r\n`
  const largeHead = json('head', 200, { 'x-large': 'a'.repeat(15_000) })
  const trailers = `${chunked}4\r\n"tr"\r\n0\r\nx-trailer: ${'a'.repeat(15_000)}\r\n\r\n`
  const answers = [
    tiny(60_000),
    Buffer.concat([Buffer.from(hint.repeat(4)), largeHead]),
    Buffer.from(trailers),
    ...Array.from({ length: 40 }, () => largeHead),
  ]
  const { send, upstream } = await wire(t, (socket, { index }) => socket.write(answers[index] as Buffer), ask, {
    maxResponseBytes: 64 * 1024,
    concurrency: 1,
    attemptTimeout: 30_000,
  })
  t.equal((await send()).value, `${'a'.repeat(59_998)}`)
  t.equal((await send()).value, 'head')
  t.equal((await send()).value, 'tr')
  for (let count = 0; count < 40; count++) t.equal((await send()).value, 'head')
  t.equal(upstream.connections, 1, 'on one connection: each answer is counted for itself')
})

/** An answer whose header values have that many bytes, in lines of 1,000. */
const headersOf = (bytes: number) =>
  Buffer.from(
    `${start}${Array.from({ length: bytes / 1000 }, (_, at) => `x-${at}: ${'a'.repeat(1000)}\r\n`).join('')}` +
      'content-length: 6\r\n\r\n"well"',
  )

test('headers above the default limit fail a call, and maxResponseHeaderBytes allows them', async t => {
  const script: Script = socket => void socket.write(headersOf(20_000))
  const strict = await wire(t, script, ask)
  t.match(await failure(strict.send()), { code: 'UPSTREAM_PROTOCOL', message: /its headers are too large$/ })
  const wide = await wire(t, script, ask, { maxResponseHeaderBytes: 64 * 1024 })
  t.equal((await wide.send()).value, 'well')
})

test('a low maxResponseHeaderBytes fails headers that the default allows', async t => {
  const script: Script = socket => void socket.write(headersOf(4000))
  const { send } = await wire(t, script, ask, { maxResponseHeaderBytes: 1024 })
  t.match(await failure(send()), { code: 'UPSTREAM_PROTOCOL' })
  t.equal((await (await wire(t, script, ask)).send()).value, 'well')
})

test('headers of the largest maxResponseHeaderBytes arrive, also after interim answers of that size', async t => {
  const large = headersOf(1_000_000)
  const hint = Buffer.from(`HTTP/1.1 103 Early Hints\r\nlink: ${'a'.repeat(1_000_000)}\r\n\r\n`)
  const { send } = await wire(t, socket => void socket.write(Buffer.concat([hint, hint, large])), ask, {
    maxResponseHeaderBytes: 2 ** 20,
    attemptTimeout: 30_000,
  })
  t.equal((await send()).value, 'well')
})

test('headers without end are cut at the largest maxResponseHeaderBytes', async t => {
  let poured: { readonly bytes: number } = { bytes: 0 }
  const { send, upstream } = await wire(
    t,
    socket => {
      poured = pour(socket, start, `x-more: ${'a'.repeat(500)}\r\n`)
    },
    ask,
    { maxResponseHeaderBytes: 2 ** 20, attemptTimeout: 30_000 },
  )
  t.match(await failure(send()), { code: 'UPSTREAM_PROTOCOL' })
  await upstream.deserted()
  t.ok(poured.bytes < 16 * 1024 * 1024, `the upstream was stopped after ${poured.bytes} bytes`)
})

test('bytes outside the headers have six times the limit of a large maxResponseHeaderBytes', async t => {
  const lines = (bytes: number) => Buffer.concat([Buffer.from('\r\n'.repeat(bytes / 2)), json('well')])
  const { send } = await wire(
    t,
    (socket, { index }) => void socket.write(lines(index === 0 ? 380_000 : 400_000)),
    ask,
    {
      maxResponseHeaderBytes: 64 * 1024,
      attemptTimeout: 30_000,
    },
  )
  t.equal((await send()).value, 'well')
  t.match(await failure(send()), { code: 'UPSTREAM_PROTOCOL' })
})

test('answers of tiny chunks are parsed over several turns of the loop, and one that is given up waits no longer', async t => {
  const owed: (() => void)[] = []
  const body = tiny(256 * 1024)
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => owed.push(() => socket.write(index === 4 ? json('small') : body)),
    ask,
    { attemptTimeout: 30_000 },
  )
  const run = testRun()
  const given = send(run).catch((reason: unknown) => reason)
  const asked = Array.from({ length: 3 }, () => send())
  await upstream.asked(4)
  const small = send()
  await upstream.asked(5)
  const turns = loopTurns()
  for (const answer of owed) answer()
  setImmediate(() => setImmediate(() => run.abort.abort('gone')))
  t.equal((await small).value, 'small')
  t.equal(await given, 'gone')
  for (const { value } of await Promise.all(asked)) t.equal((value as string).length, 256 * 1024 - 2)
  turns.stop()
  // Each has 1.25 MiB beside its body, and a turn takes 192 KiB.
  t.ok(turns.count >= 15, `it took ${turns.count} turns`)
})
