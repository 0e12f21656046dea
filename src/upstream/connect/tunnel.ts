import type { Socket } from 'node:net'
import { ConnectResponse, type ConnectResult } from './connect-response.ts'

export interface TunnelRequest {
  /** `host:port` of the upstream. */
  readonly target: string
  /** The value of `proxy-authorization`; `undefined` if the URL of the proxy has no credentials. */
  readonly authorization: string | undefined
}

/**
 * Opens a tunnel through a proxy with `CONNECT` (RFC 9110, section 9.3.6). After `done` is called without an error, the
 * socket is the tunnel. Bytes after the headers of the response are then read from it first.
 *
 * @returns A function that cancels the tunnel and destroys the socket.
 */
export function openTunnel(
  socket: Socket,
  { target, authorization }: TunnelRequest,
  done: (error: Error | null) => void,
): () => void {
  const response = new ConnectResponse()

  function end(error: Error | null): void {
    socket.off('readable', read).off('error', end).off('close', closed)
    if (error !== null) cancel()
    done(error)
  }

  function read(): void {
    let result: ConnectResult | undefined
    while (result === undefined) {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      result = response.add(chunk)
    }
    if ('refusal' in result) return end(refused(result.refusal))
    if (result.rest.length > 0) socket.unshift(result.rest)
    end(null)
  }

  function closed(): void {
    end(refused('the proxy closed the connection before it answered CONNECT'))
  }

  function cancel(): void {
    socket.on('error', () => {}).destroy()
  }

  socket.on('readable', read).on('error', end).on('close', closed)
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n` +
      `${authorization === undefined ? '' : `proxy-authorization: ${authorization}\r\n`}\r\n`,
  )
  return cancel
}

function refused(message: string): Error {
  return Object.assign(new Error(message), { code: 'PROXY_REFUSED' })
}
