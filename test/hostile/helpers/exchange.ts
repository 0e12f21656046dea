import { connect } from 'node:net'
import type { Line } from './line.ts'
import { readAnswers, type Answer } from './read-answers.ts'
import { wireRequest } from './wire-request.ts'

/** What came of one connection. */
export interface Exchange {
  readonly answers: readonly Answer[]
  /** Bytes that are no whole answer. */
  readonly left: string
  /** Whether the service closed the connection in time. */
  readonly isClosed: boolean
}

/** No answer may be later, in ms. */
const patience = 2000

/** A good request, and the last of its connection. */
const followUp = wireRequest({ target: '/health/live', headers: ['connection: close'] })

/**
 * Sends a line's bytes over a connection of its own and, when they are answered, a good request to see what has become
 * of it.
 */
export function exchange(
  port: number,
  { bytes, before, ends, isBare }: Pick<Line, 'bytes' | 'before' | 'ends' | 'isBare'>,
): Promise<Exchange> {
  return new Promise(resolve => {
    let received = ''
    let isFollowed = ends
    let isClosed = false
    const socket = connect(port, '127.0.0.1')
    const read = () => readAnswers(received, index => isBare && index === before)
    const give = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ...read(), isClosed })
    }
    const timer = setTimeout(give, patience)

    socket.on('error', () => {})
    socket.on('close', () => {
      isClosed = true
      give()
    })
    socket.on('data', part => {
      received += part.toString('latin1')
      if (isFollowed || read().answers.length <= before) return
      isFollowed = true
      socket.write(followUp)
    })
    if (ends) socket.end(bytes)
    else socket.write(bytes)
  })
}
