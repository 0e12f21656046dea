import { ignoreRejection } from '../../core/promises.ts'
import type { IoredisClient } from './redis-client.ts'

/** The pause before a client that has ended connects again, in ms. */
const pauseMs = 500

/**
 * Connects a client again when it has ended by itself. With the option `failoverDetector`, a client of `ioredis` ends
 * for good if a failover is announced while the client asks a Sentinel for the primary.
 *
 * @returns A function that must be called before the client is closed.
 */
export function keepConnected(client: Pick<IoredisClient, 'on' | 'off' | 'connect'>): () => void {
  let timer: NodeJS.Timeout | undefined
  const onEnd = () => {
    clearTimeout(timer)
    timer = setTimeout(() => ignoreRejection(client.connect()), pauseMs)
    timer.unref()
  }
  client.on('end', onEnd)
  return () => {
    clearTimeout(timer)
    client.off('end', onEnd)
  }
}
