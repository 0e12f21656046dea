import type { Socket } from 'node:net'
import { brotliCompressSync, constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { ErrorCode } from '../../../src/errors.ts'
import { written } from '../../helpers/raw-upstream.ts'

/** The `maxBytes` of the upstream that gives these answers. */
export const maxBytes = 4 * 1024 * 1024

/** The body of the answer in chunks of one byte, in bytes; each takes a microsecond. */
const tinyBytes = 512 * 1024

/** An answer that is meant to cost much. */
export interface HeavyAnswer {
  readonly write: (socket: Socket) => void
  /** How its call must end. */
  readonly right: 'ok' | ErrorCode
}

const start = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const chunked = `${start}transfer-encoding: chunked\r\n\r\n`
const whole = (body: string | Buffer, coding?: string) =>
  written(200, { 'content-type': 'application/json', 'content-encoding': coding }, body)
const says = (bytes: Buffer) => (socket: Socket) => {
  socket.write(bytes)
}
const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
const letters = Array.from({ length: 7900 }, (_, index) => `${'abcdefghij'[index % 10]}:\r\n`).join('')
const tooMany = 'a:b\r\n'.repeat(20_000)

/** Writes a part again and again, `times` times or until the connection is closed, and then the end. */
function pour(first: string, part: string, times = Infinity, end = ''): (socket: Socket) => void {
  const each = Math.max(1, Math.floor(65_536 / part.length))
  const block = Buffer.from(part.repeat(each))
  return socket => {
    let left = times
    socket.write(first)
    const more = () => {
      while (!socket.destroyed && left > 0) {
        const bytes = left >= each ? block : block.subarray(0, left * part.length)
        left -= each
        if (!socket.write(bytes)) return void socket.once('drain', more)
      }
      if (!socket.destroyed) socket.write(end)
    }
    more()
  }
}

/** An answer of `maxBytes` bytes like those of any upstream. */
export function ordinaryAnswer(): Buffer {
  const items: string[] = []
  for (let id = 0, bytes = 2; ; id++) {
    const item = JSON.stringify({
      id,
      name: `Cat ${id}`,
      fact: 'Cats sleep for around thirteen to sixteen hours a day, and purr. '.repeat(6),
      tags: ['a', 'b'],
    })
    bytes += item.length + 1
    if (bytes > maxBytes) return whole(`[${items.join()}]`)
    items.push(item)
  }
}

const endless = (first: string, part: string): HeavyAnswer => ({ write: pour(first, part), right: 'UPSTREAM_PROTOCOL' })
const bytes = (body: string | Buffer, right: HeavyAnswer['right'], coding?: string): HeavyAnswer => ({
  write: says(whole(body, coding)),
  right,
})

/** By name, which is the path of its operation. */
export function heavyAnswers(): Readonly<Record<string, HeavyAnswer>> {
  const zeros = Buffer.alloc(5 * maxBytes, '0')
  return {
    'tiny-chunks': {
      write: pour(`${chunked}1\r\n"\r\n`, '1\r\na\r\n', tinyBytes - 2, '1\r\n"\r\n0\r\n\r\n'),
      right: 'ok',
    },
    'tiny-chunks-with-long-extensions': endless(`${chunked}1\r\n"\r\n`, `1;${'e'.repeat(60_000)}\r\na\r\n`),
    'chunk-extensions': endless(`${chunked}1;`, 'a'),
    'zeros-of-a-chunk-size': endless(chunked, '0'),
    'empty-lines': endless('', '\r\n'),
    'reason-phrase': endless('HTTP/1.1 200 ', 'a'),
    'spaces-of-a-header': endless(`${start}x-pad:`, ' '),
    'spaces-of-a-trailer': endless(`${chunked}2\r\n{}\r\n0\r\nx-pad:`, ' '),
    'interim-answers': endless('', `HTTP/1.1 103 Early Hints\r\n${letters}\r\n`),
    'too-many-headers': { write: says(Buffer.from(`${start}${tooMany}`)), right: 'UPSTREAM_PROTOCOL' },
    'too-many-trailers': {
      write: says(Buffer.from(`${chunked}2\r\n{}\r\n0\r\n${tooMany}`)),
      right: 'UPSTREAM_PROTOCOL',
    },
    'too-many-headers-of-an-interim-answer': {
      write: says(Buffer.from(`HTTP/1.1 103 Early Hints\r\n${tooMany}`)),
      right: 'UPSTREAM_PROTOCOL',
    },
    'too-many-headers-behind-a-body': {
      write: says(
        Buffer.from(`${start}content-length: 50000\r\n\r\n"${'a'.repeat(49_998)}"HTTP/1.1 200 OK\r\n${tooMany}`),
      ),
      right: 'ok',
    },
    'many-headers': { write: says(Buffer.from(`${start}${letters}content-length: 2\r\n\r\n{}`)), right: 'ok' },
    nesting: bytes(nested(maxBytes / 2 - 1), 'UPSTREAM_SCHEMA'),
    'nesting-in-gzip': bytes(gzipSync(nested(maxBytes / 2 - 1)), 'UPSTREAM_SCHEMA', 'gzip'),
    'nesting-in-an-unknown-field': bytes(`{"word":"a","more":${nested(maxBytes / 2 - 20)}}`, 'UPSTREAM_SCHEMA'),
    'nesting-of-64-kib': bytes(nested(32_767), 'UPSTREAM_SCHEMA'),
    'many-values': bytes(`[${'0,'.repeat(maxBytes / 2 - 2)}0]`, 'UPSTREAM_TOO_LARGE'),
    'many-wrong-values': bytes(`[${'0,'.repeat(99_998)}0]`, 'UPSTREAM_SCHEMA'),
    'many-names': bytes(`{${Array.from({ length: 30_000 }, (_, index) => `"name${index}":${index}`).join()}}`, 'ok'),
    'bomb-in-gzip': bytes(gzipSync(zeros), 'UPSTREAM_TOO_LARGE', 'gzip'),
    'bomb-in-br': bytes(
      brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
      'UPSTREAM_TOO_LARGE',
      'br',
    ),
    'bomb-in-zstd': bytes(zstdCompressSync(zeros), 'UPSTREAM_TOO_LARGE', 'zstd'),
  }
}

/** Answers of few bytes whose values cost much to parse or check. */
export function costlyAnswers(): Readonly<Record<string, HeavyAnswer>> {
  const count = 90_000
  const fields = Array.from({ length: count }, (_, index) => `"name${(index * 7919) % count}":${index}`)
  const integer = (index: number) => 9_007_199_254_740_993n + BigInt(index)
  return {
    'many-wrong-fields': bytes(`{${fields.join()}}`, 'UPSTREAM_SCHEMA'),
    'many-fields-of-a-wrong-union': bytes(`{${fields.join()}}`, 'UPSTREAM_SCHEMA'),
    'many-unknown-fields': bytes(`{${fields.join()}}`, 'ok'),
    'many-wrong-unknown-fields': bytes(`{${fields.join()}}`, 'UPSTREAM_SCHEMA'),
    'many-unknown-fields-out-of-order': bytes(`{${fields.join()},"last":1}`, 'ok'),
    'many-fields-of-a-strict-object': bytes(`{${fields.join()}}`, 'UPSTREAM_SCHEMA'),
    'many-index-names': bytes(
      `{${Array.from({ length: count }, (_, index) => `"${(index * 40_009) % 4_294_967}":${index}`).join()}}`,
      'ok',
    ),
    'many-big-integers': bytes(`[${Array.from({ length: count }, (_, index) => integer(index)).join()}]`, 'ok'),
    'many-names-of-big-integers': bytes(
      `{${Array.from({ length: count }, (_, index) => `"name${(index * 7919) % count}":${integer(index)}`).join()}}`,
      'ok',
    ),
  }
}
