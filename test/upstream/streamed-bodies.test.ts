import { createReadStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { callFactory } from '../../src/upstream/call/create-call.ts'
import { defineUpstream, env, operation, specOf, type Call, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { operationsOf } from '../../src/upstream/declared-specs.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { until } from '../helpers/until.ts'
import { answer, uploadServer, type UploadServer } from '../helpers/upload-server.ts'

type Bytes = AsyncIterable<Uint8Array>
const output = z.unknown()
const stream = z.custom<Bytes>()
const body = z.custom<Bytes | Uint8Array | { readonly stream: Bytes; readonly size?: number }>()
const operations = {
  put: operation({ method: 'PUT', path: '/', bodyType: 'bytes', body, output }),
  post: operation({ method: 'POST', path: '/', bodyType: 'bytes', body, idempotencyKey: () => 'one', output }),
  form: operation({
    method: 'POST',
    path: '/',
    bodyType: 'multipart',
    body: z.object({
      title: z.string(),
      file: z.object({ stream, size: z.int().optional(), filename: z.string() }),
      last: z.string(),
    }),
    output,
  }),
}

async function arrange(t: Test, server?: UploadServer, options: Partial<UpstreamOptions> = {}) {
  const { origin, ...rest } = server ?? (await uploadServer(t))
  const files = defineUpstream('files', { origin, ...options }, operations)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const send = (call: Call<unknown>, run = testRun()) => runtime.send(run.ask(call))
  return { ...rest, files, runtime, send }
}

/** A stream that the test feeds, and that knows its end. */
function fedStream() {
  const fed = new Readable({ read() {} })
  return Object.assign(fed, { feed: (text: string) => fed.push(Buffer.from(text)), end: () => fed.push(null) })
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

const textOf = ({ chunks }: { readonly chunks: readonly Buffer[] }) => Buffer.concat(chunks).toString()

/** Makes calls of the operation `put` as if it changed nothing. */
function safePut(files: Parameters<typeof specOf>[0]) {
  const [put] = operationsOf(specOf(files))
  return callFactory({ ...(put as NonNullable<typeof put>), safe: true })
}

test('a generator, a stream of Node.js and a web stream are sent in chunks', async t => {
  const { files, send, uploads } = await arrange(t)
  const file = join(t.testdir(), 'file')
  writeFileSync(file, 'purr'.repeat(50_000))
  for (const [source, expected] of [
    [chunks('a', '', 'b'), 'ab'],
    [Readable.from([Buffer.from('a'), Buffer.from('b')]), 'ab'],
    [createReadStream(file), 'purr'.repeat(50_000)],
    [new Blob(['a', 'b']).stream(), 'ab'],
  ] as const) {
    await send(files.put({ body: source as Bytes }))
    const upload = uploads.at(-1) as (typeof uploads)[number]
    t.match(upload, {
      isWhole: true,
      headers: { 'transfer-encoding': 'chunked', 'content-type': 'application/octet-stream' },
    })
    t.equal(textOf(upload), expected)
  }
  await send(files.put({ body: chunks() }))
  t.match(uploads.at(-1), { isWhole: true, chunks: [], headers: { 'content-length': '0' } })
})

test('a file of a multipart body that is a stream arrives between its other parts', async t => {
  const { files, send, uploads } = await arrange(t)
  await send(
    files.form({ body: { title: 'Tom', file: { stream: chunks('pu', 'rr'), filename: 'tom.txt' }, last: 'x' } }),
  )
  const [upload] = uploads
  const headers = { 'content-type': upload?.headers['content-type'] ?? '' }
  const form = await new Response(Buffer.concat(upload?.chunks ?? []), { headers }).formData()
  t.strictSame([...form.keys()], ['title', 'file', 'last'])
  t.equal(await (form.get('file') as File).text(), 'purr')
  t.equal(form.get('last'), 'x')
})

test('a stream of a known size has a content length', async t => {
  const { files, send, uploads } = await arrange(t)
  const sent = async (call: Call<unknown>) => {
    await send(call)
    const upload = uploads.at(-1) as (typeof uploads)[number]
    const length = upload.isWhole ? String(Buffer.concat(upload.chunks).length) : 'cut'
    t.match(upload.headers, { 'content-length': length, 'transfer-encoding': undefined })
    return upload
  }
  const { headers } = await sent(files.put({ body: { stream: chunks('ab', 'c'), size: 3 } }))
  t.equal(headers['content-type'], 'application/octet-stream')
  await sent(files.put({ body: { stream: chunks(''), size: 0 } }))
  await sent(files.form({ body: { title: 'a', file: { stream: chunks('b'), size: 1, filename: 'c' }, last: 'd' } }))
  await send(files.put({ body: { stream: chunks('ab') } }))
  t.match(uploads.at(-1)?.headers, { 'content-length': undefined, 'transfer-encoding': 'chunked' })
})

test('a stream of another size than it says is cut', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server, { maxRequestBytes: 10 })
  for (const [texts, message] of [
    [['a', 'b'], 'files.put: the stream of its body ended before its size, 3 bytes'],
    [['a', 'bcd'], 'files.put: the stream of its body has more bytes than its size says'],
  ] as const) {
    const index = server.uploads.length
    t.match(await failure(send(files.put({ body: { stream: chunks(...texts), size: 3 } }))), {
      code: 'OUTCOME_UNKNOWN',
      cause: { message },
    })
    t.equal((await server.upload(index, ({ isCut }) => isCut)).isWhole, false)
  }
  t.throws(() => files.put({ body: { stream: chunks('a'), size: 11 } }), {
    code: 'CALL_INPUT_INVALID',
    message: /its body has 11 bytes, and the limit is 10$/,
  })
  t.match(await failure(send(files.put({ body: chunks('12345678901') }))), { code: 'CALL_INPUT_INVALID' })
  t.equal(server.uploads.length, 2, 'a first chunk above the limit is not sent')
})

test('a stream is sent once, where bytes are sent again', async t => {
  const server = await uploadServer(t, upload => answer(upload, 503))
  const { files, send } = await arrange(t, server)
  for (const make of [files.put, files.post]) {
    const before = server.uploads.length
    t.match(await failure(send(make({ body: Buffer.from('a') }))), { code: 'UPSTREAM_BUSY' })
    t.equal(server.uploads.length, before + 2)
    t.match(await failure(send(make({ body: chunks('a') }))), { code: 'UPSTREAM_BUSY' })
    t.equal(server.uploads.length, before + 3)
  }
})

test('a stream whose connection closes before the answer is not sent again', async t => {
  const server = await uploadServer(t, (upload, index) => {
    if (index === 1) upload.request.socket.destroy()
    else answer(upload)
  })
  const { files, send } = await arrange(t, server, { concurrency: 1, connections: 1 })
  await send(files.put({ body: chunks('a') }))
  t.match(await failure(send(files.put({ body: chunks('b') }))), { code: 'OUTCOME_UNKNOWN', retryable: false })
  t.strictSame(server.uploads.map(textOf), ['a', 'b'])
})

test('a call whose stream was not read is sent again', async t => {
  let attempts = 0
  const { files, send, uploads } = await arrange(t, undefined, {
    layers: {
      attempt: [
        (next, { name }) =>
          call =>
            attempts++ === 0 ? Promise.reject(new UpstreamError('UPSTREAM_UNREACHABLE', name)) : next(call),
      ],
    },
  })
  await send(files.put({ body: chunks('a') }))
  t.equal(attempts, 2)
  t.strictSame(uploads.map(textOf), ['a'])
})

test('a slow safe call with a stream has no second attempt', async t => {
  const server = await uploadServer(t, () => {})
  const { files, send } = await arrange(t, server, {
    hedge: { delay: 1, maxRatio: 1 },
    attemptTimeout: 200,
    retry: false,
  })
  const put = safePut(files)
  t.match(await failure(send(put({ body: Buffer.from('bytes') }))), { code: 'UPSTREAM_TIMEOUT' })
  t.match(await failure(send(put({ body: chunks('stream') }))), { code: 'UPSTREAM_TIMEOUT' })
  t.strictSame(server.uploads.map(textOf), ['bytes', 'bytes', 'stream'])
})

test('a call with a stream that is used again is refused, and the first use goes on', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server)
  const source = fedStream()
  const call = files.put({ body: source })
  const first = send(call)
  const refusal = {
    name: 'TypeError',
    message: 'files.put: its body is a stream and was already sent: make a new call',
  }
  t.match(await failure(send(call)), refusal)
  source.feed('a')
  source.end()
  t.match(await first, { status: 200 })
  t.match(await failure(send(call)), refusal)
  t.strictSame(server.uploads.map(textOf), ['a'])
})

test('a layer that sends a stream twice gets an error for the second sending', async t => {
  const refusal = { name: 'TypeError', message: /its body is a stream and was already sent/ }
  const second = async (isParallel: boolean) => {
    let failed: unknown
    const { files, send } = await arrange(t, undefined, {
      retry: false,
      layers: {
        call: [
          next => async call => {
            t.equal(call.body, undefined, 'a layer does not see a stream')
            const first = next(call)
            if (!isParallel) await first
            failed = await failure(next(call))
            return first
          },
        ],
      },
    })
    await send(files.put({ body: chunks('a') }))
    return failed
  }
  t.match(await second(false), refusal)
  t.match(await second(true), refusal)
})

test('a stream is closed with a call that is never sent', async t => {
  const server = await uploadServer(t, () => {})
  const { files, send } = await arrange(t, server, { concurrency: 1, connections: 1, maxQueue: 1 })
  const run = testRun()
  void send(files.put({ body: Buffer.from('first') }), testRun({ deadline: 60_000 })).catch(() => {})
  await server.upload(0)
  const waiting = fedStream()
  const aborted = failure(send(files.put({ body: waiting }), run))
  const web = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
  let cancelled = false
  t.match(await failure(send(files.put({ body: web }))), { code: 'BULKHEAD_FULL' })
  t.equal(cancelled, true)
  t.equal(waiting.destroyed, false)
  run.abort.abort(new Error('gone'))
  t.match(await aborted, { message: 'gone' })
  t.equal(waiting.destroyed, true)
  t.equal(server.uploads.length, 1)
})

test('a stream is closed with a call to an upstream that is off', async t => {
  const files = defineUpstream('files', { origin: 'http://127.0.0.1:9' }, operations)
  const runtime = createRuntime({ overrides: { files: { off: true } } })
  t.teardown(() => runtime.close())
  const source = fedStream()
  t.match(await failure(runtime.send(testRun().ask(files.put({ body: source })))), { code: 'UPSTREAM_OFF' })
  t.equal(source.destroyed, true)
})

test('a deadline cuts a stream that waits, and the outcome is unknown', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server, { totalTimeout: 150 })
  const readable = fedStream()
  readable.feed('a')
  let isEnded = false
  async function* waiting(): Bytes {
    try {
      yield Buffer.from('a')
      await new Promise(resolve => readable.once('close', resolve))
      yield Buffer.from('b')
    } finally {
      isEnded = true
    }
  }
  const web = new ReadableStream<Uint8Array>({ start: controller => controller.enqueue(Buffer.from('a')) })
  for (const source of [waiting(), web as unknown as Bytes, readable]) {
    t.match(await failure(send(files.put({ body: source }))), {
      code: 'OUTCOME_UNKNOWN',
      cause: { code: 'DEADLINE_EXCEEDED' },
    })
    const { isWhole, chunks } = await server.upload(server.uploads.length - 1, ({ isCut }) => isCut)
    t.equal(isWhole, false)
    t.equal(textOf({ chunks }), 'a')
  }
  t.equal(readable.destroyed, true)
  await until(() => isEnded)
})

test('a stream waits for an upstream that does not read, and ends with its call', async t => {
  const server = await uploadServer(
    t,
    () => {},
    ({ request }) => request.pause(),
  )
  const { files, send } = await arrange(t, server, { totalTimeout: 300, maxRequestBytes: 1e9 })
  let megabytes = 0
  let isEnded = false
  async function* endless(): Bytes {
    try {
      for (; ; megabytes++) yield Buffer.alloc(1 << 20)
    } finally {
      isEnded = true
    }
  }
  t.match(await failure(send(files.put({ body: endless() }))), { code: 'OUTCOME_UNKNOWN' })
  await until(() => isEnded)
  t.ok(megabytes < 64, `${megabytes} MiB were read from the stream`)
})

test('an abort does not cut the stream of an unsafe call that was sent', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server)
  const source = fedStream()
  const run = testRun()
  const sent = send(files.put({ body: source }), run)
  source.feed('a')
  await server.upload(0, ({ chunks }) => chunks.length > 0)
  run.abort.abort(new Error('gone'))
  source.feed('b')
  source.end()
  t.match(await sent, { status: 200 })
  t.equal(textOf(await server.upload(0)), 'ab')
})

test('an abort cuts the stream of a safe call', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server)
  const source = fedStream()
  const run = testRun()
  const sent = failure(send(safePut(files)({ body: source }), run))
  source.feed('a')
  await server.upload(0, ({ chunks }) => chunks.length > 0)
  run.abort.abort(new Error('gone'))
  t.match(await sent, { message: 'gone' })
  t.equal(source.destroyed, true)
  await server.upload(0, ({ isCut }) => isCut)
})

test('the failure of a stream cuts its request, and does not count against the upstream', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server, { breaker: { consecutiveFailures: 1, minimumCalls: 1 } })
  async function* failing(): Bytes {
    yield Buffer.from('a')
    throw new Error('disk')
  }
  t.match(await failure(send(files.put({ body: failing() }))), {
    code: 'OUTCOME_UNKNOWN',
    verdict: 'ignored',
    message: /may have taken effect: the stream of its body ended early$/,
    cause: { message: 'files.put: the stream of its body failed', cause: { message: 'disk' } },
  })
  t.equal((await server.upload(0, ({ isCut }) => isCut)).isWhole, false)
  t.match(await failure(send(safePut(files)({ body: failing() }))), {
    message: /^files\.put: the stream of its body failed/,
  })
  await send(files.put({ body: chunks('a') }))
})

test('a stream that fails before its first byte sends nothing, and the call fails with its error', async t => {
  const { files, send, uploads } = await arrange(t)
  const missing = createReadStream(join(t.testdir(), 'missing'))
  const call = files.put({ body: missing })
  await until(() => missing.destroyed)
  t.match(await failure(send(call)), {
    message: 'files.put: the stream of its body failed',
    cause: { code: 'ENOENT' },
  })
  const locked = new Blob(['a']).stream()
  locked.getReader()
  t.match(await failure(send(files.put({ body: locked }))), { cause: { name: 'TypeError' } })
  const text = Readable.from(['a text']) as unknown as Bytes
  t.match(await failure(send(files.put({ body: text }))), {
    name: 'TypeError',
    message: 'files.put: the stream of its body gave a string: give Uint8Array chunks, or encode texts',
  })
  t.strictSame(uploads, [])
})

test('a stream above maxRequestBytes is cut', async t => {
  const server = await uploadServer(t)
  const { files, send } = await arrange(t, server, { maxRequestBytes: 10 })
  await send(files.put({ body: chunks('12345', '67890') }))
  const message = /its body has more bytes than the limit, which is 10$/
  t.match(await failure(send(files.put({ body: chunks('12345', '678901') }))), {
    code: 'OUTCOME_UNKNOWN',
    cause: { code: 'CALL_INPUT_INVALID', message },
  })
  t.match(await failure(send(safePut(files)({ body: chunks('12345', '678901') }))), {
    code: 'CALL_INPUT_INVALID',
    message,
  })
  for (const index of [1, 2]) t.equal(textOf(await server.upload(index, ({ isCut }) => isCut)), '12345')
})

test('an answer that comes before the end of a stream ends the call and closes the stream', async t => {
  const server = await uploadServer(
    t,
    upload => answer(upload),
    (upload, index) => {
      if (index === 0) answer(upload, 413)
    },
  )
  const { files, send } = await arrange(t, server)
  const source = fedStream()
  source.feed('a')
  t.match(await failure(send(files.put({ body: source }))), { code: 'UPSTREAM_STATUS', upstreamStatus: 413 })
  t.equal(source.destroyed, true)
  await send(files.put({ body: chunks('b') }))
  t.equal(textOf(await server.upload(1)), 'b')
})

test('a stream is refused where answers are shared or connections are pipelined', t => {
  const origin = 'https://files.example'
  const piped = defineUpstream('files', { origin, pipelining: 2 }, operations)
  t.throws(() => piped.put({ body: chunks('a') }), {
    name: 'TypeError',
    message: /files\.put: its body is a stream, which cannot share a connection with other calls: remove pipelining/,
  })
  t.doesNotThrow(() => piped.put({ body: Buffer.from('a') }))
  const [put] = operationsOf(specOf(defineUpstream('files', { origin }, operations)))
  t.throws(() => callFactory({ ...(put as NonNullable<typeof put>), coalesce: true })({ body: chunks('a') }), {
    name: 'TypeError',
    message: /files\.put: its body is a stream, so no two calls are equal: remove coalesce and cache, or give bytes/,
  })
  const keyed = operation({
    method: 'POST',
    path: '/',
    safe: true,
    bodyType: 'bytes',
    body,
    keyBatch: { maxKeys: 2, call: (keys: readonly string[]) => ({ body: chunks(...keys) }), pick: answer => answer },
    output,
  })
  t.throws(() => defineUpstream('files', { origin }, { keyed }).keyed('a'), {
    name: 'TypeError',
    message:
      /files\.keyed: its body is a stream, which cannot be sent for several keys: remove keyBatch, or give bytes/,
  })
  t.end()
})

test('a run leaves the stream of a call that it never starts as it is, and a generator has opened nothing', async t => {
  const server = await uploadServer(t, upload => answer(upload, 400))
  const { files, runtime } = await arrange(t, server)
  const opened: string[] = []
  async function* read(name: string): Bytes {
    opened.push(name)
    yield Buffer.from(name)
  }
  const waiting = fedStream()
  const puts = aggregate('puts', { url: '/puts', method: 'POST' })
    .each('put', () => [read('a'), waiting, read('b')].map(body => files.put({ body })), { concurrency: 1 })
    .reply(z.unknown(), () => null)
  t.match(await failure(fanOut(puts, {}, { runtime })), { code: 'UPSTREAM_STATUS' })
  t.strictSame(server.uploads.map(textOf), ['a'])
  t.strictSame(opened, ['a'])
  t.equal(waiting.destroyed, false)
  waiting.destroy()
})

test('a stream is closed with a call to a runtime that is closed or cannot reach the upstream', async t => {
  const { files, runtime, send } = await arrange(t)
  await runtime.close()
  const late = fedStream()
  t.match(await failure(send(files.put({ body: late }))), { code: 'RUNTIME_CLOSED' })
  t.equal(late.destroyed, true)
  const secret = defineUpstream('secret', { origin: 'http://127.0.0.1:9', auth: { bearer: env('SECRET') } }, operations)
  const bare = createRuntime({ environment: {} })
  t.teardown(() => bare.close())
  const unsent = fedStream()
  t.match(await failure(bare.send(testRun().ask(secret.put({ body: unsent })))), { message: /SECRET/ })
  t.equal(unsent.destroyed, true)
})

test('a stream is closed with a call that ask refuses, and a call that was asked before keeps its stream', async t => {
  const server = await uploadServer(t)
  const { files, runtime } = await arrange(t, server)
  const streams = [fedStream(), fedStream(), fedStream()] as const
  const [first, above, late] = streams
  let askLater: ((call: Call<unknown>) => Promise<unknown>) | undefined
  const puts = aggregate('puts', { url: '/puts', method: 'POST' })
    .each(
      'put',
      async ({ ask }) => {
        askLater = ask
        const call = files.put({ body: first })
        const asked = ask(call)
        t.match(await failure(ask(call)), { code: 'TOO_MANY_ITEMS' })
        t.match(await failure(ask(files.put({ body: above }))), { code: 'TOO_MANY_ITEMS' })
        t.strictSame([first.destroyed, above.destroyed], [false, true])
        first.feed('a')
        first.end()
        await asked
        return []
      },
      { maxItems: 1 },
    )
    .reply(z.unknown(), () => null)
  await fanOut(puts, {}, { runtime })
  t.strictSame(server.uploads.map(textOf), ['a'])
  t.match(await failure(askLater?.(files.put({ body: late })) as Promise<unknown>), { message: /ask was called after/ })
  t.equal(late.destroyed, true)
})

test('a stream is closed with the call of a step that becomes ready after the deadline', async t => {
  const { files, runtime, uploads } = await arrange(t)
  const source = fedStream()
  const puts = aggregate('puts', { url: '/puts', method: 'POST', deadline: 20 })
    .optional('slow', () => new Promise<null>(() => {}), { fallback: null })
    .optional('put', () => files.put({ body: source }), { needs: ['slow'], fallback: null })
    .reply(z.unknown(), () => null)
  await fanOut(puts, {}, { runtime })
  t.equal(source.destroyed, true)
  t.strictSame(uploads, [])
})

test('a stream is closed with a call that a step returns after its run has failed', async t => {
  const { files, runtime, uploads } = await arrange(t)
  const source = fedStream()
  const gate = Promise.withResolvers<void>()
  const puts = aggregate('puts', { url: '/puts', method: 'POST' })
    .required('put', async () => {
      await gate.promise
      return files.put({ body: source })
    })
    .required('off', (): null => {
      throw new Error('off')
    })
    .reply(z.unknown(), () => null)
  t.match(await failure(fanOut(puts, {}, { runtime })), { cause: { message: 'off' } })
  gate.resolve()
  await until(() => source.destroyed)
  t.strictSame(uploads, [])
})
