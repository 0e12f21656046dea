import type { FastifyRequest } from 'fastify'
import { cut } from '../../log/cut.ts'
import { clientAddress } from '../request/client-address.ts'

/**
 * A request as the log has it: without its query and its headers, which may hold secrets, and cut where they are long.
 */
export function loggedRequest(
  request: Pick<FastifyRequest, 'method' | 'url' | 'host' | 'ip'> & Pick<Partial<FastifyRequest>, 'ips'>,
) {
  const { method, url, host } = request
  const [path = ''] = url.split('?', 1)
  return { method, url: cut(path), host: cut(host), remoteAddress: clientAddress(request) }
}
