import { connect, createServer, type Socket } from 'node:net'
import type { Teardowns } from './teardowns.ts'
import { listenUntilEnd } from './listen-until-end.ts'

/** A TCP proxy in front of Redis that delays what it passes on, or loses connections without closing them. */
export interface FaultyProxy {
  readonly port: number
  /** The delay in each direction, in ms. The test may change it. */
  delayMs: number
  /** The number of all connections until now. */
  readonly connections: number
  /** Passes nothing on for the connections that are open now. They stay open. New connections work. */
  freeze(): void
}

/** Starts a proxy that passes everything on. */
export async function faultyProxy(t: Teardowns, target: number): Promise<FaultyProxy> {
  const sockets = new Set<Socket>()
  /** The pairs of sockets that are passed on. */
  let passing = new Set<object>()
  let connections = 0
  const server = createServer(client => {
    connections++
    const redis = connect(target, '127.0.0.1')
    const pair = { client, redis }
    passing.add(pair)
    for (const [from, to] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(from)
      const later = (act: () => void) => {
        if (proxy.delayMs > 0) setTimeout(act, proxy.delayMs)
        else act()
      }
      from.on('error', () => {})
      from.on('data', chunk => {
        if (passing.has(pair)) later(() => to.write(chunk))
      })
      from.on('close', () => {
        sockets.delete(from)
        if (passing.has(pair)) to.destroy()
      })
    }
  })
  const port = await listenUntilEnd(t, server, sockets)
  const proxy: FaultyProxy = {
    port,
    delayMs: 0,
    get connections() {
      return connections
    },
    freeze() {
      passing = new Set()
    },
  }
  return proxy
}
