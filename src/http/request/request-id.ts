import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Returns the caller's `x-request-id` if it is short and has only safe characters, or a new id. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}
