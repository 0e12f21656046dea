import type { buildConnector } from 'undici'
import { hasUnread } from './unread.ts'
import { markConnectError } from '../connect/wire-errors.ts'

/** The loop counts as held up when a turn of it takes longer than this, in ms. */
const heldUpMs = 5

/** The loop is waited for at most this many turns, however often it is held up. */
const maxTurns = 20

/**
 * Hands a new socket over after the event loop has polled it once more and found nothing: what an upstream sends before
 * the first request is not an answer to it.
 */
export function quietSocket(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...opened) => {
      const [error, socket] = opened
      if (error !== null) return callback(error, null)
      let turns = 0
      let polledAt = 0

      const settle = (failure: Error | null) => {
        clearImmediate(next)
        socket.off('readable', onReadable).off('error', settle).off('close', onReadable)
        if (failure === null) return callback(null, socket)
        socket.on('error', () => {}).destroy()
        callback(markConnectError(failure), null)
      }
      // Readable is the end of the connection too.
      const onReadable = () => settle(unusable())
      const turn = () => {
        const elapsed = performance.now() - polledAt
        polledAt += elapsed
        if (turns++ > 0 && (elapsed <= heldUpMs || turns > maxTurns)) settle(hasUnread(socket) ? unusable() : null)
        else next = setImmediate(turn)
      }
      let next = setImmediate(turn)
      socket.on('readable', onReadable).on('error', settle).on('close', onReadable)
    })
}

function unusable(): Error {
  return Object.assign(new Error('the upstream sent bytes, or closed the connection, before the first request'), {
    code: 'CONNECTION_UNUSABLE',
  })
}
