import { connect } from 'node:net'

/** How the connections of a storm ended. */
export interface Storm {
  /** Answered with a status of 200. */
  readonly answered: number
  /** Closed, reset or refused without an answer. */
  readonly closed: number
  /** The longest time from the first byte sent to the end of the connection, in ms. */
  readonly longest: number
  /** Times over `slowMs`. */
  readonly slow: number
}

export interface StormOptions {
  /** Connections at a time, each for one request to `/who`. */
  readonly width: number
  /** Called before each connection with its index; `false` ends the storm. */
  readonly next: (index: number) => boolean
  /** @default 1000 */
  readonly slowMs?: number
}

/** Opens connections until `next` ends the storm. Gives up a connection after 15 s. */
export async function stormOf(port: number, { width, next, slowMs = 1000 }: StormOptions): Promise<Storm> {
  const storm = { answered: 0, closed: 0, longest: 0, slow: 0 }
  let index = 0
  async function caller(): Promise<void> {
    while (next(index++)) {
      const since = performance.now()
      const text = await exchange(port)
      const ms = performance.now() - since
      if (text.startsWith('HTTP/1.1 200 ')) storm.answered++
      else storm.closed++
      storm.longest = Math.max(storm.longest, ms)
      if (ms > slowMs) storm.slow++
    }
  }
  await Promise.all(Array.from({ length: width }, caller))
  return storm
}

function exchange(port: number): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    })
    socket
      .setTimeout(15_000, () => socket.destroy())
      .on('error', () => {})
      .on('data', part => {
        text += String(part)
      })
      .on('close', () => resolve(text))
  })
}
