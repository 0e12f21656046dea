// node bench/upstream.ts [bodyBytes] [delayMs] [fields|string] [slowMs] [gzip]: answers every request head with the same prebuilt bytes, one in a hundred late.
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { announce } from './announce.ts'
import { factBody } from './fact-body.ts'
import type { Filler } from './fact-body.ts'

const endOfHead = '\r\n\r\n'
const bodyBytes = Number(process.argv[2] ?? 110)
const delayMs = Number(process.argv[3] ?? 0)
const slowMs = Number(process.argv[5] ?? 0)
let requestsSoFar = 0
const response = prebuilt(bodyBytes, process.argv[4] === 'string' ? 'string' : 'fields', process.argv[6] === 'gzip')

const server = createServer({ noDelay: true }, socket => {
  let tail: Buffer | undefined

  socket.on('data', chunk => {
    const bytes = tail ? Buffer.concat([tail, chunk]) : chunk
    let requests = 0
    let from = 0
    for (let end = bytes.indexOf(endOfHead); end !== -1; end = bytes.indexOf(endOfHead, from)) {
      requests++
      from = end + endOfHead.length
    }
    // Three bytes are the most of an end of head that a chunk can hold without holding all of it.
    tail = from === bytes.length ? undefined : bytes.subarray(Math.max(from, bytes.length - 3))

    if (requests === 0) return
    if (slowMs > 0) return inOrder(socket, requests)
    answerAt(socket, requests, delayMs)
  })
  socket.on('error', () => socket.destroy())
})

/** When the last answer of a connection is due, in ms: none may overtake another. */
const due = new WeakMap<Socket, number>()

/** Answers that are due together are one write. */
function inOrder (socket: Socket, requests: number): void {
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

function answerAt (socket: Socket, count: number, ms: number): void {
  if (count === 0) return
  const answer = count === 1 ? response : Buffer.concat(Array.from({ length: count }, () => response))
  if (ms <= 0) socket.write(answer)
  else setTimeout(() => socket.write(answer), ms)
}

server.listen(0, '127.0.0.1', 1024, () => announce((server.address() as AddressInfo).port))

function prebuilt (size: number, filler: Filler, isZipped: boolean) {
  const text = Buffer.from(factBody(size, filler))
  const body = isZipped ? gzipSync(text) : text
  const coding = isZipped ? 'content-encoding: gzip\r\n' : ''
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${coding}content-length: ${body.length}\r\nconnection: keep-alive\r\n\r\n`), body])
}
