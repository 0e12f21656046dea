import type { Socket } from 'node:net'

/**
 * Limit on the bytes outside bodies that all connections together parse in one turn of the event loop. The parser takes
 * about 0.1 µs for each if chunks have one byte or headers one letter.
 */
const maxPerTurn = 192 * 1024

let bytesLeft = maxPerTurn
let isArmed = false
let waiting = new Set<Socket>()

/** Counts bytes outside bodies that were parsed in this turn of the event loop. */
export function countParsed(bytes: number): void {
  bytesLeft -= bytes
  arm()
}

/** Returns whether this turn of the event loop has reached its limit. */
export function isTurnFull(): boolean {
  return bytesLeft <= 0
}

/** Reads from a socket in a later turn of the event loop, after the sockets that already wait. */
export function readLater(socket: Socket): void {
  waiting.add(socket)
}

function arm(): void {
  if (isArmed) return
  isArmed = true
  setImmediate(turn)
}

function turn(): void {
  isArmed = false
  bytesLeft = maxPerTurn
  const all = waiting
  const later = new Set<Socket>()
  waiting = new Set()
  for (const socket of all)
    if (bytesLeft > 0) socket.emit('readable')
    else later.add(socket)
  // A socket that was read may wait again. It goes to the end of the queue.
  for (const socket of waiting) later.add(socket)
  waiting = later
  if (waiting.size > 0) arm()
}
