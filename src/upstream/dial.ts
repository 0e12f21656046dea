import type { Socket } from 'node:net'
import { buildConnector, errors } from 'undici'

type Connect = (...args: Parameters<buildConnector.connector>) => Socket

/** Makes what opens connections, TLS included, each within `timeout` ms: undici's own timer for it is late by up to a second. */
export function dialer ({ timeout, ...options }: buildConnector.BuildOptions & { readonly timeout: number }): buildConnector.connector {
  // Its type hides that it gives the socket that it opens.
  const connect = buildConnector({ ...options, timeout: 0 }) as unknown as Connect
  return (place, callback) => {
    let last: NodeJS.Immediate | undefined
    const limit = setTimeout(() => {
      // Timers come before sockets: one that is there by now is taken.
      last = setImmediate(() => socket.destroy(new errors.ConnectTimeoutError(`no connection within ${timeout} ms`)))
    }, timeout)
    const socket = connect(place, (...opened) => {
      clearTimeout(limit)
      clearImmediate(last)
      callback(...opened)
    })
  }
}
