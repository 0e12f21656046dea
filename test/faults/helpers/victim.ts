import type { TlsOptions } from 'node:tls'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { quietPort } from '../../helpers/quiet-port.ts'
import { json, rawUpstream, type RawUpstream, type Script } from '../../helpers/raw-upstream.ts'

/** An upstream that is bad until it recovers. */
export interface Victim extends Pick<RawUpstream, 'origin' | 'port' | 'requests' | 'open' | 'connections' | 'holds'> {
  /** Answers well from now on. */
  readonly recover: () => Promise<void> | void
}

/** Answers `/word/{id}` with the word it was asked for. */
export function well(socket: Socket, { path }: { readonly path: string }): void {
  socket.write(json({ word: path.split('/').at(-1) }))
}

/** Takes each request and says what the script says. */
export function says(script: Script, tls?: TlsOptions): (t: Test) => Promise<Victim> {
  return async t => {
    let isWell = false
    const upstream = await rawUpstream(
      t,
      (socket, request) => {
        if (isWell) well(socket, request)
        else if (typeof script === 'function') script(socket, request)
        else socket.write(script)
      },
      tls,
    )
    return victim(upstream, () => {
      isWell = true
    })
  }
}

/** Does something to each connection, and then hears nothing of what comes over it. */
export function greets(greet: (socket: Socket) => unknown): (t: Test) => Promise<Victim> {
  return async t => {
    let isWell = false
    const rude = new WeakSet<Socket>()
    const upstream = await rawUpstream(
      t,
      (socket, request) => {
        if (!rude.has(socket)) well(socket, request)
      },
      undefined,
      socket => {
        if (isWell) return
        rude.add(socket)
        greet(socket)
      },
    )
    return victim(upstream, () => {
      isWell = true
    })
  }
}

/** A port without a listener. */
export async function down(t: Test): Promise<Victim> {
  const upstream = await rawUpstream(t, well, undefined, undefined, await quietPort())
  await upstream.stop()
  return victim(upstream, () => upstream.listen())
}

/** The same upstream with a way to recover; its figures are read as they are then. */
export function victim(upstream: RawUpstream, recover: Victim['recover'], origin = upstream.origin): Victim {
  return {
    origin,
    port: upstream.port,
    requests: upstream.requests,
    get open() {
      return upstream.used
    },
    get connections() {
      return upstream.connections
    },
    holds: upstream.holdsUsed,
    recover,
  }
}
