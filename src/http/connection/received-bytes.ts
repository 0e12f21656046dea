import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'

/** The counters of a connection. They are kept on the socket, since every request changes them. */
const heads = Symbol('headwaters.heads')
const bodyBytes = Symbol('headwaters.bodyBytes')

export type CountedSocket = Pick<Socket, 'bytesRead'> & { [heads]?: number; [bodyBytes]?: number }

/** Bytes that a connection may send outside of its requests: bytes that Node reads ahead, empty lines, trailers. */
const slack = 256 * 1024

/** Bytes on the wire that are allowed for one byte of a body. A chunk of one byte takes 6 bytes on the wire. */
const perBodyByte = 16

/** Counts the head of a request. */
export function countHead(socket: CountedSocket): void {
  socket[heads] = (socket[heads] ?? 0) + 1
}

/** Counts bytes of a body. */
export function countBodyBytes(socket: CountedSocket, bytes: number): void {
  socket[bodyBytes] = (socket[bodyBytes] ?? 0) + bytes
}

/**
 * Counts the bytes of a request's body as the parser pushes them. Requests without a body are not changed, so that V8
 * keeps one shape for them.
 */
export function countBodyOfRequest(request: IncomingMessage): void {
  request.push = pushCounted
}

function pushCounted(this: IncomingMessage, chunk: Buffer | null, encoding?: BufferEncoding): boolean {
  if (chunk !== null) countBodyBytes(this.socket, chunk.length)
  return Readable.prototype.push.call(this, chunk, encoding)
}

/** Returns whether a connection has sent more bytes than its requests account for. */
export function hasStrayBytes(socket: CountedSocket, headerBytes: number): boolean {
  return socket.bytesRead > slack + (socket[heads] ?? 0) * headerBytes + (socket[bodyBytes] ?? 0) * perBodyByte
}
