import { constants, fstatSync, openSync, write, writeSync, type Stats } from 'node:fs'
import { isatty } from 'node:tty'

/** Receives the result of one write: an error, or the number of bytes that were taken. */
export type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void

/** A file descriptor to which lines are written. Its writes do not block the event loop. */
export interface Output {
  /** The largest write that no other process can split, in bytes. */
  readonly largest: number
  /** True if a write in a thread may never end. The process must not wait for such a thread. */
  readonly mayBlock: boolean
  /** Writes a part of a buffer. One write at a time; `done` may be called before this returns. */
  write(buffer: Buffer, from: number, bytes: number, done: Written): void
  /**
   * Writes a part of a buffer before it returns.
   *
   * @returns The number of bytes that were written.
   * @throws The system's error: `EAGAIN` if nothing can be written now.
   */
  writeNow(buffer: Buffer, from: number, bytes: number): number
}

/**
 * A pipe accepts a write of up to `PIPE_BUF` bytes either whole or not at all (POSIX, `write`), so lines of several
 * processes do not mix.
 */
const pipeBuf = 4096
/** The largest write to a regular file, in bytes. A regular file accepts whole writes of any size. */
const fileWrite = 64 * 1024

/**
 * Opens an output on an open file descriptor.
 *
 * A pipe or a terminal is opened again, which creates a separate open file description. Without this, `O_NONBLOCK`
 * would apply to every process that shares the description. If it cannot be opened again, and for sockets, Node.js
 * itself makes the descriptor non-blocking. Regular files and devices are written in the thread pool. Such a write
 * waits only for a disk, not for a reader.
 */
export function openOutput(fd: number): Output {
  const stats = statsOf(fd)
  const isTerminal = stats?.isCharacterDevice() === true && isatty(fd)
  const hasReader = stats?.isFIFO() === true || isTerminal
  const own = hasReader ? reopened(fd) : undefined
  if (own !== undefined) return nonBlocking(own)
  const isStream = stats?.isFIFO() === true || stats?.isSocket() === true
  // The getter creates a stream for the descriptor. Node.js then sets O_NONBLOCK.
  if (isStream) void (fd === 2 ? process.stderr : process.stdout)
  return pooled(fd, hasReader || isStream ? pipeBuf : fileWrite, isTerminal)
}

function statsOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd)
  } catch {
    return undefined
  }
}

/**
 * Opens the file of a descriptor again. Returns undefined without `/proc`, without permission, and without a reader.
 */
function reopened(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

function nonBlocking(fd: number): Output {
  const writeNow = (buffer: Buffer, from: number, bytes: number) => writeSync(fd, buffer, from, bytes)
  return {
    largest: pipeBuf,
    mayBlock: false,
    writeNow,
    write(buffer, from, bytes, done) {
      let taken = 0
      try {
        taken = writeNow(buffer, from, bytes)
      } catch (error) {
        return done(error as NodeJS.ErrnoException, 0)
      }
      done(null, taken)
    },
  }
}

function pooled(fd: number, largest: number, mayBlock: boolean): Output {
  return {
    largest,
    mayBlock,
    write: (buffer, from, bytes, done) => write(fd, buffer, from, bytes, null, done),
    writeNow: (buffer, from, bytes) => writeSync(fd, buffer, from, bytes),
  }
}
