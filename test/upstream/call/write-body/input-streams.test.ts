import { execFile } from 'node:child_process'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { callFactory } from '../../../../src/upstream/call/create-call.ts'
import { isByteStream } from '../../../../src/upstream/call/write-body/byte-source.ts'
import { defineUpstream, operation, specOf, type UpstreamOptions } from '../../../../src/upstream/declare.ts'
import { operationsOf } from '../../../../src/upstream/declared-specs.ts'
import { childEnvironment } from '../../../helpers/child-environment.ts'

type Bytes = AsyncIterable<Uint8Array>
type ErrorMatch = { readonly code: string } | { readonly message: string | RegExp; readonly name?: string }
type Make = (input: object) => unknown

const output = z.unknown()
const stream = z.custom<Bytes>(isByteStream)
const file = z.object({ stream, size: z.int().optional(), filename: z.string().optional() })
const sized = z.union([stream, z.object({ stream, size: z.int() })])
const id = z.string().max(5)

function arrange(options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'files',
    { origin: 'https://files.example', maxRequestBytes: 1000, ...options },
    {
      put: operation({
        method: 'PUT',
        path: '/{id}',
        params: z.object({ id }),
        bodyType: 'bytes',
        body: sized,
        headers: z.object({ note: z.string().default('none') }),
        idempotencyKey: ({ id }) => {
          if (id === 'throw') throw new Error('no key')
          return id === 'none' ? '' : 'key'
        },
        output,
      }),
      form: operation({
        method: 'POST',
        path: '/',
        bodyType: 'multipart',
        body: z.object({ files: z.array(file), title: z.string().optional() }),
        output,
      }),
      folder: operation({
        method: 'POST',
        path: '/',
        query: z.object({ q: z.string() }),
        bodyType: 'multipart',
        body: z
          .object({ open: z.function({ input: [], output: file }), name: z.string() })
          .transform(({ open, name }) => ({ file: open(), other: { bytes: Buffer.from('a'), filename: name } })),
        output,
      }),
    },
  )
}

/** A stream that fails as a file that cannot be opened does: with an error event, soon after it was made. */
function failing(): Readable {
  return new Readable({
    construct: done => {
      setImmediate(done, new Error('missing'))
    },
  })
}

/** Makes a call that is refused, and checks that it has closed the streams. */
async function refused(t: Test, make: () => unknown, error: ErrorMatch, streams: readonly Readable[]): Promise<void> {
  t.throws(make, error)
  for (const [index, each] of streams.entries()) {
    t.equal(each.destroyed, true, `stream ${index} is closed`)
    await new Promise(closed => each.once('close', closed))
  }
}

for (const [reason, input, error] of [
  ['its path', { id: '..' }, { code: 'CALL_INPUT_INVALID' }],
  ['its parameters', { id: 'too long' }, { code: 'CALL_INPUT_INVALID' }],
  ['its headers', { headers: { note: 'a\nb' } }, { code: 'CALL_INPUT_INVALID' }],
  ['its idempotency key', { id: 'none' }, { code: 'CALL_INPUT_INVALID' }],
  ['an error of idempotencyKey', { id: 'throw' }, { message: 'no key' }],
] as const)
  test(`a call that is refused for ${reason} closes its stream`, async t => {
    const body = failing()
    await refused(t, () => (arrange().put as Make)({ ...input, body }), error, [body])
  })

test('a call that is refused because its stream is in a wrong field closes the stream', async t => {
  const file = failing()
  await refused(t, () => (arrange().put as Make)({ id: 'a', file }), { code: 'CALL_INPUT_INVALID' }, [file])
})

for (const [reason, part, error] of [
  ['a later part', { files: [1], title: 'a' }, { code: 'CALL_INPUT_INVALID' }],
  ['a field that its schema refuses', { title: 1 }, { code: 'CALL_INPUT_INVALID' }],
  ['its filename', { filename: 'a\r\nb' }, { code: 'CALL_INPUT_INVALID' }],
  ['its size', { size: 5000 }, { code: 'CALL_INPUT_INVALID' }],
] as const)
  test(`a multipart call that is refused for ${reason} closes its streams`, async t => {
    const { files = [], title, ...file } = { files: [], title: 'a', ...part } as Record<string, unknown>
    const streams = [failing(), failing()]
    const body = { files: [...streams.map(each => ({ ...file, stream: each })), ...(files as unknown[])], title }
    await refused(t, () => (arrange().form as Make)({ body }), error, streams)
  })

test('a call that is refused because connections or answers are shared closes its stream', async t => {
  const piped = failing()
  const error = { name: 'TypeError', message: /its body is a stream/ }
  const input = { id: 'a', headers: { note: 'b' } }
  await refused(t, () => arrange({ pipelining: 2 }).put({ ...input, body: piped }), error, [piped])
  const shared = failing()
  const [put] = operationsOf(specOf(arrange()))
  const create = callFactory({ ...(put as NonNullable<typeof put>), coalesce: true })
  await refused(t, () => create({ ...input, body: shared }), error, [shared])
})

test('a call that is refused closes the streams that its schema has opened', async t => {
  const opened = failing()
  const body = { open: () => ({ stream: opened, filename: 'a' }), name: 'a\nb' }
  await refused(t, () => arrange().folder({ q: 'a', body }), { code: 'CALL_INPUT_INVALID' }, [opened])
})

test('a call that is refused cancels a web stream, and closes a stream behind a getter', async t => {
  let cancelled = false
  const web = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) })
  const input = { id: '..', headers: { note: 'b' } }
  const { put } = arrange()
  t.throws(() => put({ ...input, body: web }), { code: 'CALL_INPUT_INVALID' })
  t.equal(cancelled, true)
  class File {
    readonly #stream = failing()
    readonly size = 1
    get stream() {
      return this.#stream
    }
  }
  const file = new File()
  await refused(t, () => put({ ...input, body: file }), { code: 'CALL_INPUT_INVALID' }, [file.stream])
})

test('a call that is refused leaves the streams in other objects of its input open', t => {
  class Session {
    readonly log = new Readable({ read() {} })
  }
  const session = new Session()
  t.throws(() => (arrange().form as Make)({ body: { session, bytes: new Uint8Array(2) } }), {
    code: 'CALL_INPUT_INVALID',
  })
  t.equal(session.log.destroyed, false)
  t.end()
})

test('a call that is refused fails with its own error if a stream cannot be closed', async t => {
  const stuck = Object.assign(new Readable({ read() {} }), {
    destroy() {
      throw new Error('stuck')
    },
  })
  const other = failing()
  const unreadable = {
    get stream(): Bytes {
      throw new Error('unreadable')
    },
  }
  const body = { files: [{ stream: stuck }, unreadable, { stream: other, size: -1 }] }
  const cycle: Record<string, unknown> = { body }
  cycle['cycle'] = cycle
  await refused(t, () => (arrange().form as Make)(cycle), { message: 'unreadable' }, [other])
  t.throws(() => (arrange().form as (input: unknown) => unknown)(null), { name: 'TypeError' })
})

test('a call that is made leaves its stream open', t => {
  const body = new Readable({ read() {} })
  const call = arrange().put({ id: 'a', headers: { note: 'b' }, body })
  t.match(call, { path: '/a', idempotencyKey: 'key', headers: { note: 'b' } })
  t.equal(body.destroyed, false)
  t.end()
})

test('a process survives a refused call with a file that cannot be opened', async t => {
  const declare = new URL('../../../../src/upstream/declare.ts', import.meta.url).href
  const script = `
    import { createReadStream } from 'node:fs'
    import { z } from 'zod'
    import { defineUpstream, operation } from ${JSON.stringify(declare)}
    const [params, body, output] = [z.object({ id: z.string() }), z.any(), z.unknown()]
    const files = defineUpstream('files', { origin: 'https://files.example' }, {
      put: operation({ method: 'PUT', path: '/{id}', params, bodyType: 'bytes', body, output }),
      form: operation({ method: 'POST', path: '/{id}', params, bodyType: 'multipart', body, output }),
    })
    const missing = () => createReadStream(${JSON.stringify(`${t.testdir()}/missing`)})
    const streams = [missing(), missing(), missing()]
    const codes = [
      () => files.put({ id: '..', body: streams[0] }),
      () => files.put({ id: '..', body: { stream: streams[1], size: 1 } }),
      () => files.form({ id: 'a', body: { file: { stream: streams[2], filename: '\\n' } } }),
    ].map(make => {
      try {
        make()
      } catch ({ code }) {
        return code
      }
    })
    await Promise.all(streams.map(stream => stream.closed || new Promise(closed => stream.once('close', closed))))
    setImmediate(() => console.log(codes.join()))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    env: childEnvironment,
  })
  t.equal(stdout, 'CALL_INPUT_INVALID,CALL_INPUT_INVALID,CALL_INPUT_INVALID\n')
})
