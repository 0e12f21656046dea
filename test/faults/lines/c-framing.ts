import { secret } from '../../helpers/hostile-upstream.ts'
import type { Entry, Line } from '../helpers/entry.ts'
import { neverKept } from '../scenes/caches.ts'
import { says, type Victim } from '../helpers/victim.ts'
import { answer, drip, good, pour, status, wordOf } from '../helpers/wire.ts'
import type { Test } from 'tap'
import { json, type Script } from '../../helpers/raw-upstream.ts'

const part = `{"word":"${secret}`
const chunk = (text: string, size = Buffer.byteLength(text).toString(16)) => `${size}\r\n${text}\r\n`
const chunked = 'transfer-encoding: chunked'
const megabyte = Buffer.alloc(1024 * 1024, `"${secret}",`)
const megabyteChunk = Buffer.concat([Buffer.from(`${megabyte.length.toString(16)}\r\n`), megabyte, Buffer.from('\r\n')])
const poison = json({ word: `poison ${secret}` })

/** How much an upstream could write before it was stopped: what is read, and what lies in the buffers between. */
function saysWithin(bytes: number, script: Exclude<Script, string | Buffer>): Pick<Line, 'upstream' | 'also'> {
  const sockets: { readonly bytesWritten: number }[] = []
  return {
    upstream: says((socket, request) => {
      sockets.push(socket)
      script(socket, request)
    }),
    also(t: Test, _victim: Victim) {
      for (const { bytesWritten } of sockets) t.ok(bytesWritten < bytes, `it was stopped after ${bytesWritten} bytes`)
    },
  }
}

const empty = { operation: { allowEmpty: true } } as const
const short = { options: { attemptTimeout: 150 } } as const
const head = { operation: { method: 'HEAD', allowEmpty: true } } as const

/** How a body is framed. */
export const framing: readonly Entry[] = [
  {
    no: 28,
    fault: 'a length of 100, some bytes, and a close',
    upstream: says(socket => socket.end(answer(['content-length: 100'], part))),
    code: 'UPSTREAM_RESET',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 28,
    fault: 'a length of 100, whole JSON, and a close',
    upstream: says((socket, request) => socket.end(answer(['content-length: 100'], wordOf(request)))),
    code: 'UPSTREAM_RESET',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 28,
    fault: "answers that are cut short, no good, or somebody's own, of an operation that keeps its answers",
    right: 'not kept',
    play: neverKept,
  },
  {
    no: 29,
    fault: 'a length of 100, some bytes, and a reset',
    upstream: says(socket => {
      socket.write(answer(['content-length: 100'], part), () => socket.resetAndDestroy())
    }),
    code: 'UPSTREAM_RESET',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 30,
    fault: 'chunks without the last one, and a close',
    upstream: says((socket, request) => socket.end(answer([chunked], chunk(wordOf(request))))),
    code: 'UPSTREAM_RESET',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 30,
    fault: 'a close within a chunk',
    upstream: says(socket => socket.end(answer([chunked], chunk(part, 'ff')))),
    code: 'UPSTREAM_RESET',
    required: 502,
    optional: 'fallback',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 0,
  },
  ...(
    [
      ['that is no number', 'ZZ'],
      ['beyond all', 'F'.repeat(17)],
      ['that is negative', '-2'],
      ['of 0x', '0x2'],
    ] as const
  ).map(([what, size]): Entry => ({
    no: 31,
    fault: `a chunk of a size ${what}`,
    upstream: says(answer([chunked], chunk('{}', size) + chunk(''))),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  })),
  {
    no: 31,
    fault: 'chunks with LF alone',
    upstream: says(answer([chunked], '2\n{}\n0\n\n')),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 31,
    fault: 'a chunk longer than its size',
    upstream: says(answer([chunked], chunk(`{"word":"${secret}"}`, '4') + chunk(''))),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 32,
    fault: 'bytes behind its answer',
    upstream: says((socket, request) => socket.write(Buffer.concat([good(request), Buffer.from(secret)]))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 32,
    fault: 'a second answer in the same packet',
    upstream: says((socket, request) => socket.write(Buffer.concat([good(request), poison]))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 32,
    fault: 'a second answer in the next packet',
    upstream: says((socket, request) => {
      socket.write(good(request), () => setImmediate(() => socket.write(poison)))
    }),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 32,
    fault: 'a second answer behind the last chunk',
    upstream: says((socket, request) =>
      socket.write(Buffer.concat([answer([chunked], chunk(wordOf(request)) + chunk('', '0')), poison])),
    ),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  ...['gzip', 'chunked, identity', 'chunked, gzip', 'identity', 'gzip, chunked', 'xchunked', 'chunked, chunked'].map(
    (coding): Entry => ({
      no: 33,
      fault: `transfer-encoding: ${coding}`,
      upstream: says((socket, request) => socket.end(answer([`transfer-encoding: ${coding}`], wordOf(request)))),
      code: 'UPSTREAM_PROTOCOL',
      required: 502,
      optional: 'fallback',
      withinMs: 20,
      connectionsAfter: 0,
    }),
  ),
  ...['gzip', 'gzip, chunked', 'chunked, chunked'].map((coding): Entry => ({
    no: 33,
    fault: `transfer-encoding: ${coding}, and then nothing`,
    upstream: says(answer([`transfer-encoding: ${coding}`])),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  })),
  {
    no: 34,
    fault: 'whole JSON that ends with the connection',
    upstream: says((socket, request) => socket.end(answer([], wordOf(request)))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 34,
    fault: 'whole JSON in HTTP/1.0',
    upstream: says((socket, request) => socket.end(good(request).toString().replace('HTTP/1.1', 'HTTP/1.0'))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 34,
    fault: 'half a JSON that ends with the connection',
    upstream: says(socket => socket.end(answer([], part))),
    code: 'UPSTREAM_JSON',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 35,
    fault: 'a body that stalls',
    upstream: says(answer(['content-length: 100'], part)),
    code: 'UPSTREAM_TIMEOUT',
    required: 504,
    optional: 'fallback',
    attempts: 2,
    ...short,
    afterMs: 300,
    withinMs: 340,
    connectionsAfter: 0,
  },
  {
    no: 36,
    fault: 'a body that drips',
    upstream: says(socket => {
      socket.write(answer(['content-length: 100000']))
      drip(socket, part, 20)
    }),
    code: 'UPSTREAM_TIMEOUT',
    required: 504,
    optional: 'fallback',
    attempts: 2,
    ...short,
    afterMs: 300,
    withinMs: 340,
    connectionsAfter: 0,
  },
  {
    no: 36,
    fault: 'a body that drips until the deadline',
    upstream: says(socket => {
      socket.write(answer([chunked]))
      drip(socket, '1\r\n[\r\n'.repeat(10_000), 5)
    }),
    code: 'DEADLINE_EXCEEDED',
    required: 504,
    optional: 'fallback',
    deadline: 250,
    afterMs: 250,
    withinMs: 260,
    connectionsAfter: 0,
  },
  {
    no: 37,
    fault: '2 GB announced',
    ...saysWithin(16 * 2 ** 20, socket => pour(socket, answer([`content-length: ${2 ** 31}`]), megabyte)),
    code: 'UPSTREAM_TOO_LARGE',
    required: 502,
    optional: 'fallback',
    withinMs: 60,
    connectionsAfter: 0,
  },
  {
    no: 37,
    fault: 'chunks without end',
    ...saysWithin(16 * 2 ** 20, socket => pour(socket, answer([chunked]), megabyteChunk)),
    code: 'UPSTREAM_TOO_LARGE',
    required: 502,
    optional: 'fallback',
    withinMs: 100,
    connectionsAfter: 0,
  },
  ...(
    [
      ['a chunk extension', answer([chunked], '1;'), 'a'],
      ['zeros of a chunk size', answer([chunked]), '0'],
      ['empty lines', '', '\r\n'],
      ['a reason phrase', 'HTTP/1.1 200 ', 'a'],
      ['spaces before a value', 'HTTP/1.1 200 OK\r\nx-secret:', ' '],
      ['extensions of small chunks', answer([chunked]), `1;${'e'.repeat(998)}\r\n \r\n`],
      ['spaces in a trailer', answer([chunked], '2\r\n{}\r\n0\r\nx-secret:'), ' '],
      ['interim answers', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
    ] as const
  ).map(([what, first, part]): Line => ({
    no: 37,
    fault: `${what} without end`,
    ...saysWithin(16 * 2 ** 20, socket =>
      pour(socket, first, Buffer.alloc(part.length * Math.ceil(65_536 / part.length), part)),
    ),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 40,
    connectionsAfter: 0,
  })),
  {
    no: 36,
    fault: 'a body in chunks of one byte',
    upstream: says((socket, request) => {
      const body = `${wordOf(request).slice(0, -1)},"more":"${'a'.repeat(100_000)}"}`
      socket.write(answer([chunked], `${body.replaceAll(/./g, '1\r\n$&\r\n')}0\r\n\r\n`))
    }),
    required: 200,
    optional: 'ok',
    withinMs: 400,
    connectionsAfter: 1,
  },
  {
    no: 38,
    fault: '204 with a body',
    upstream: says(`HTTP/1.1 204 No Content\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`),
    ...empty,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: '204 with a length and no body',
    upstream: says('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n'),
    ...empty,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: '204 where a body is needed',
    upstream: says('HTTP/1.1 204 No Content\r\n\r\n'),
    code: 'UPSTREAM_CONTENT_TYPE',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 1,
  },
  {
    no: 38,
    fault: 'HEAD with a length',
    upstream: says(answer(['content-length: 5000000000'])),
    ...head,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: 'HEAD with a length, and the connection kept',
    upstream: says(answer(['content-length: 5000000000', 'connection: keep-alive'])),
    ...head,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: 'HEAD with a body',
    upstream: says((socket, request) => socket.write(good(request))),
    ...head,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: 'HEAD with a body, and the connection kept',
    upstream: says((socket, request) => socket.write(good(request, ['connection: keep-alive']))),
    ...head,
    required: 200,
    optional: 'ok',
    value: null,
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 38,
    fault: '304 with a length',
    upstream: says('HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\n'),
    code: 'UPSTREAM_STATUS',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  ...[205, 206, 304, 300].map((code): Entry => ({
    no: 39,
    fault: `${code} without a request for it`,
    upstream: says(code === 304 ? `HTTP/1.1 304 ${secret}\r\netag: "${secret}"\r\n\r\n` : status(code)),
    code: 'UPSTREAM_STATUS',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 1,
  })),
  {
    no: 40,
    fault: 'trailers',
    upstream: says((socket, request) =>
      socket.write(answer([chunked, 'trailer: x-secret'], `${chunk(wordOf(request))}0\r\nx-secret: ${secret}\r\n\r\n`)),
    ),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 1,
  },
  {
    no: 40,
    fault: 'a length among the trailers',
    upstream: says((socket, request) =>
      socket.write(answer([chunked], `${chunk(wordOf(request))}0\r\ncontent-length: 5\r\n\r\n`)),
    ),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 40,
    fault: 'trailers of 17 KiB',
    upstream: says((socket, request) =>
      socket.write(answer([chunked], `${chunk(wordOf(request))}0\r\nx-secret: ${secret.repeat(1100)}\r\n\r\n`)),
    ),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 40,
    fault: 'trailers without end',
    ...saysWithin(16 * 2 ** 20, (socket, request) =>
      pour(socket, answer([chunked], `${chunk(wordOf(request))}0\r\n`), `x-secret: ${secret.repeat(50)}\r\n`),
    ),
    code: 'UPSTREAM_PROTOCOL',
    required: 502,
    optional: 'fallback',
    withinMs: 40,
    connectionsAfter: 0,
  },
  {
    no: 41,
    fault: 'all bytes, connection: close, and no close',
    upstream: says((socket, request) => socket.write(good(request, ['connection: close']))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 41,
    fault: 'all bytes, and a half-closed connection',
    upstream: says((socket, request) => socket.end(good(request))),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 0,
  },
  {
    no: 42,
    fault: '1 MB at 10 KB a second',
    upstream: says(socket => {
      socket.write(answer([`content-length: ${megabyte.length}`]))
      drip(socket, secret, 1)
    }),
    code: 'DEADLINE_EXCEEDED',
    required: 504,
    optional: 'fallback',
    deadline: 250,
    afterMs: 250,
    withinMs: 260,
    connectionsAfter: 0,
  },
]
