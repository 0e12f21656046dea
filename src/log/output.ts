import { constants, fstatSync, openSync, write, writeSync, type Stats } from 'node:fs'
import { isatty } from 'node:tty'

/** Receives the result of one write: an error, or the number of bytes that were taken. */
export type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void

/** A file descriptor that lines are written to. No write of it holds up the event loop. */
export interface Output {
  /** The largest write that no other process can split, in bytes. */
  readonly largest: number
  /** True if a write can stay in a thread for ever, in which case the process must not wait for that thread. */
  readonly mayBlock: boolean
  /** Writes a part of a buffer. One write at a time; `done` may be called before this returns. */
  write(buffer: Buffer, from: number, bytes: number, done: Written): void
  /**
   * Writes a part of a buffer before it returns.
   *
   * @returns The number of bytes that were taken.
   * @throws The system's error, `EAGAIN` where nothing can be taken now.
   */
  writeNow(buffer: Buffer, from: number, bytes: number): number
}

/**
 * Pipes take writes of up to `PIPE_BUF` bytes whole or not at all (POSIX, `write`), so lines of several processes do
 * not mix.
 */
const pipeBuf = 4096
/** Regular files take whole writes of any size. */
const fileWrite = 64 * 1024

/**
 * Opens an output on an open file descriptor.
 *
 * A pipe or terminal is opened again, which gives a description of our own: without this, `O_NONBLOCK` would change the
 * descriptor for every process that shares it. Where that is not possible, and for sockets, Node.js itself makes the
 * descriptor non-blocking. Regular files and devices are written by the thread pool: they never wait for a reader, only
 * for a disk.
 */
export function openOutput(fd: number): Output {
  const stats = statsOf(fd)
  const isTerminal = stats?.isCharacterDevice() === true && isatty(fd)
  const hasReader = stats?.isFIFO() === true || isTerminal
  const own = hasReader ? reopened(fd) : undefined
  if (own !== undefined) return nonBlocking(own)
  const isStream = stats?.isFIFO() === true || stats?.isSocket() === true
  // The getter makes a stream of the descriptor, which sets O_NONBLOCK.
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

/** Opens the file of a descriptor again; fails where there is no `/proc`, no permission or no reader. */
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
