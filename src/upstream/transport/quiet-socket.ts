import type { buildConnector } from 'undici'
import { hasUnread } from './unread.ts'
import { markConnectError } from '../connect/wire-errors.ts'

/** The event loop is late if a turn takes longer than this, in ms. */
const lateMs = 5

/** The limit on the turns of the event loop to wait for, even if all turns are late. */
const maxTurns = 20

/**
 * Wraps a connector. A new socket is passed on after the event loop has polled it once more without data. Bytes that an
 * upstream sends before the first request are not a response to it.
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
      // The end of the connection also makes the socket readable.
      const onReadable = () => settle(unusable())
      const turn = () => {
        const elapsed = performance.now() - polledAt
        polledAt += elapsed
        if (turns++ > 0 && (elapsed <= lateMs || turns > maxTurns)) settle(hasUnread(socket) ? unusable() : null)
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
