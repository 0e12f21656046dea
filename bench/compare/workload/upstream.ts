// node bench/compare/workload/upstream.ts [bodyBytes] [delayMs] [fields|string] [slowMs] [gzip]: answers every request
// head with the same prebuilt bytes. One answer in a hundred is late. The parent can change the size of the body and
// read the received request heads.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { announce } from '../../lib/announce.ts'
import { factBody } from './fact-body.ts'

/** A message from the parent. The upstream answers each message. */
export type UpstreamCommand =
  /** Sets the size of the body of all later answers, in bytes. */
  | { readonly bodyBytes: number }
  /** Records request heads from now on. */
  | { readonly record: true }
  /** Ends the recording; the answer is a `Recorded`. */
  | { readonly recorded: true }

/** Request heads as received, without the empty line at the end. */
export interface RecordedHeads {
  readonly heads: readonly string[]
}

const endOfHead = '\r\n\r\n'
const delayMs = Number(process.argv[3] ?? 0)
const slowMs = Number(process.argv[5] ?? 0)
let requestsSoFar = 0
const filler = process.argv[4] === 'string' ? 'string' : 'fields'
const isZipped = process.argv[6] === 'gzip'
let response = prebuilt(Number(process.argv[2] ?? 110))
/** The recorded heads, or `undefined` while recording is off, which is usual. */
let heads: string[] | undefined

const server = createServer({ noDelay: true }, socket => {
  let tail: Buffer | undefined

  socket.on('data', chunk => {
    const bytes = tail ? Buffer.concat([tail, chunk]) : chunk
    let requests = 0
    let from = 0
    for (let end = bytes.indexOf(endOfHead); end !== -1; end = bytes.indexOf(endOfHead, from)) {
      requests++
      heads?.push(bytes.toString('latin1', from, end))
      from = end + endOfHead.length
    }
    // Keep three bytes: a chunk can end with at most three of the four bytes that end a head.
    tail =
      from === bytes.length ? undefined : bytes.subarray(heads === undefined ? Math.max(from, bytes.length - 3) : from)

    if (requests === 0) return
    if (slowMs > 0) return inOrder(socket, requests)
    answerAt(socket, requests, delayMs)
  })
  socket.on('error', () => socket.destroy())
})

/** The time at which the last answer of each connection is due, in ms. An answer may not overtake an earlier one. */
const due = new WeakMap<Socket, number>()

/** Writes all answers of a connection that are due at the same time in one write. */
function inOrder(socket: Socket, requests: number): void {
  const now = performance.now()
  let at = Math.max(due.get(socket) ?? 0, now + delayMs)
  let count = 0
  for (let request = 0; request < requests; request++) {
    const own = ++requestsSoFar % 100 === 0 ? now + slowMs : at
    if (own > at) {
      answerAt(socket, count, at - now)
      count = 0
      at = own
    }
    count++
  }
  due.set(socket, at)
  answerAt(socket, count, at - now)
}

function answerAt(socket: Socket, count: number, ms: number): void {
  if (count === 0) return
  const answer = count === 1 ? response : Buffer.concat(Array.from({ length: count }, () => response))
  if (ms <= 0) socket.write(answer)
  else setTimeout(() => socket.write(answer), ms)
}

process.on('message', (question: UpstreamCommand) => {
  if ('bodyBytes' in question) response = prebuilt(question.bodyBytes)
  else if ('record' in question) heads = []
  else if (!('recorded' in question)) return
  process.send?.({ heads: heads ?? [] } satisfies RecordedHeads)
  if ('recorded' in question) heads = undefined
})

server.listen(0, '127.0.0.1', 1024, () => announce((server.address() as AddressInfo).port))

function prebuilt(size: number) {
  const text = Buffer.from(factBody(size, filler))
  const body = isZipped ? gzipSync(text) : text
  const coding = isZipped ? 'content-encoding: gzip\r\n' : ''
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${coding}content-length: ${body.length}\r\nconnection: keep-alive\r\n\r\n`,
    ),
    body,
  ])
}
