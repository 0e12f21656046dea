import type { Writable } from 'node:stream'
import { exitFlushMs, Destination } from './destination.ts'

type Name = 'stdout' | 'stderr'
type Write = (chunk: string | Uint8Array, ...rest: readonly unknown[]) => boolean

/**
 * Redirects the output of `process.stdout`, `process.stderr` and `console` to destinations that never block, so that
 * `console.log` in definitions cannot block the service. A stream is created at its first use, because Node.js changes
 * the descriptor for all processes that share it when it creates the stream.
 *
 * @returns A function that writes the remaining output, for a process that is about to be killed.
 */
export function divertStreams(stdout: Destination): () => void {
  const opened = new Set([stdout])
  divert('stdout', () => stdout)
  divert('stderr', () => {
    const stderr = new Destination({ fd: 2 })
    opened.add(stderr)
    process.on('exit', () => {
      stderr.flushWithin(exitFlushMs)
    })
    return stderr
  })
  return () => {
    for (const destination of opened) destination.flushWithin(exitFlushMs)
  }
}

function divert(name: Name, open: () => Destination): void {
  const given = Object.getOwnPropertyDescriptor(process, name)
  const streamOf = () => given?.get?.call(process) as Writable | undefined
  let stream: Writable | undefined
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get() {
      if (stream !== undefined) return stream
      stream = streamOf()
      if (stream === undefined) return undefined
      const destination = open()
      stream.write = writeTo(destination) as Writable['write']
      return stream
    },
  })
}

function writeTo(destination: Destination): Write {
  return (chunk, ...rest) => {
    destination.write(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    const done = rest.find(each => typeof each === 'function') as (() => void) | undefined
    if (done !== undefined) process.nextTick(done)
    return true
  }
}
