import { once } from 'node:events'
import { connect } from 'node:net'
import { failureOf } from './failure.ts'

/** Why nobody could be asked there, if so: a wrong port need not be tried for the whole of a run. */
export async function unreachable({ hostname, port, protocol }: URL, timeoutMs: number): Promise<string | undefined> {
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
    return undefined
  } catch (error) {
    return (error as Error).name === 'AbortError' ? 'timed out' : failureOf(error as Error)
  } finally {
    socket.destroy()
  }
}
