import type { Socket } from 'node:net'

/**
 * Bytes beside bodies that are parsed in one turn of the loop, of all connections together. A parser takes about 0.1 µs
 * for each of them where chunks have one byte or headers one letter.
 */
const maxPerTurn = 192 * 1024

let bytesLeft = maxPerTurn
let isArmed = false
let waiting = new Set<Socket>()

/** Counts bytes beside bodies that were parsed in this turn of the loop. */
export function countParsed(bytes: number): void {
  bytesLeft -= bytes
  arm()
}

/** Returns whether this turn of the loop has parsed enough. */
export function isTurnFull(): boolean {
  return bytesLeft <= 0
}

/** Has a socket read in a later turn of the loop, after those that wait already. */
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
  // Those that were served may have joined again. They go behind the rest.
  for (const socket of waiting) later.add(socket)
  waiting = later
  if (waiting.size > 0) arm()
}
