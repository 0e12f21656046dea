import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'

/** Counters of a connection. They are kept on the socket, since they are changed with every request. */
const heads = Symbol('headwaters.heads')
const bodyBytes = Symbol('headwaters.bodyBytes')

export type CountedSocket = Pick<Socket, 'bytesRead'> & { [heads]?: number; [bodyBytes]?: number }

/** Bytes that every connection may send beside its requests: what Node reads ahead, empty lines, trailers. */
const slack = 256 * 1024

/** Bytes on the wire for one byte of a body: a chunk of one byte takes 6. */
const perBodyByte = 16

/** Counts one head of a request. */
export function countHead(socket: CountedSocket): void {
  socket[heads] = (socket[heads] ?? 0) + 1
}

/** Counts bytes of a body. */
export function countBodyBytes(socket: CountedSocket, bytes: number): void {
  socket[bodyBytes] = (socket[bodyBytes] ?? 0) + bytes
}

/**
 * Counts the bytes of a body as the parser hands them over, whatever reads them. Requests without a body stay as Node
 * makes them.
 */
export function countBodyOfRequest(request: IncomingMessage): void {
  request.push = pushCounted
}

function pushCounted(this: IncomingMessage, chunk: Buffer | null, encoding?: BufferEncoding): boolean {
  if (chunk !== null) countBodyBytes(this.socket, chunk.length)
  return Readable.prototype.push.call(this, chunk, encoding)
}

/** Returns whether more bytes have come over a connection than its requests account for. */
export function hasStrayBytes(socket: CountedSocket, headerBytes: number): boolean {
  return socket.bytesRead > slack + (socket[heads] ?? 0) * headerBytes + (socket[bodyBytes] ?? 0) * perBodyByte
}
