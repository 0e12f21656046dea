import type { Socket } from 'node:net'

/** Counters of a connection. They are kept on the socket, since they are changed with every request. */
const heads = Symbol('headwaters.heads')
const bodyBytes = Symbol('headwaters.bodyBytes')

export type Counted = Pick<Socket, 'bytesRead'> & { [heads]?: number, [bodyBytes]?: number }

/** Bytes that every connection may send beside its requests: what Node reads ahead, empty lines, trailers. */
const slack = 256 * 1024

/** Bytes on the wire for one byte of a body: a chunk of one byte takes 6. */
const perBodyByte = 16

/** Counts one head of a request. */
export function countHead (socket: Counted): void {
  socket[heads] = (socket[heads] ?? 0) + 1
}

/** Counts bytes of a body, on connections whose heads are counted. */
export function countBody (socket: Counted, bytes: number): void {
  if (socket[heads] !== undefined) socket[bodyBytes] = (socket[bodyBytes] ?? 0) + bytes
}

/** Returns whether more bytes have come over a connection than its requests account for. */
export function hasStrayBytes (socket: Counted, headerBytes: number): boolean {
  return socket.bytesRead > slack + (socket[heads] ?? 0) * headerBytes + (socket[bodyBytes] ?? 0) * perBodyByte
}
