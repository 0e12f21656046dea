import { connect, createServer, type Socket } from 'node:net'
import type { Teardowns } from './teardowns.ts'
import { lookUp } from '../../src/redis/cache/cache-scripts.ts'
import { listenUntilEnd } from './listen-until-end.ts'

/** A TCP proxy in front of Redis that exchanges keys in requests. */
export interface SwappingProxy {
  /** The URL of the proxy. */
  readonly url: string
  /**
   * The keys that are exchanged: those of entries in all commands, or those of entries and generations in lookups. The
   * test may change it.
   */
  mode: 'none' | 'entries' | 'reads'
  /** The number of keys that were exchanged. */
  readonly swapped: number
}

const start = String.raw`headwaters:1:\w{8}:\{[\w-]{43}\}`
/** All keys of one kind have the same length, so a request with another one is valid. */
const patterns = {
  entries: new RegExp(String.raw`${start}:e:[\w-]{43}`, 'g'),
  reads: new RegExp(
    String.raw`(?<=${lookUp.sha}\r\n\$1\r\n3\r\n\$\d+\r\n(?:[^\r]+\r\n\$\d+\r\n)?)${start}:(?:g|e:[\w-]{43})`,
    'g',
  ),
}

/** One of so many keys is exchanged. */
const every = 3

/**
 * Starts a proxy that replaces every third key with another one of the same kind. So the server answers for another key
 * than the client has asked for. A key that two chunks share is not exchanged.
 */
export async function swappingProxy(t: Teardowns, target: number): Promise<SwappingProxy> {
  const sockets = new Set<Socket>()
  /** The last key of each kind, by its length. */
  const lastKeys = new Map<number, string>()
  let seen = 0
  let swapped = 0

  function exchange(key: string): string {
    const last = lastKeys.get(key.length) ?? key
    lastKeys.set(key.length, key)
    if (last === key || ++seen % every !== 0) return key
    swapped++
    return last
  }

  const server = createServer(client => {
    const redis = connect(target, '127.0.0.1')
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    client.on('data', chunk => {
      const { mode } = proxy
      const text = () => chunk.toString('latin1')
      redis.write(mode === 'none' ? chunk : Buffer.from(text().replaceAll(patterns[mode], exchange), 'latin1'))
    })
    client.on('close', () => redis.destroy())
    redis.on('data', chunk => client.write(chunk)).on('close', () => client.destroy())
  })
  const port = await listenUntilEnd(t, server, sockets)
  const proxy: SwappingProxy = {
    url: `redis://127.0.0.1:${port}`,
    mode: 'none',
    get swapped() {
      return swapped
    },
  }
  return proxy
}
