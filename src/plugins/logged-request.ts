import type { FastifyRequest } from 'fastify'
import { clientAddress } from './client-address.ts'

/** Characters of what a caller wrote that the log takes. */
const most = 512

/** A request as the log has it: without its query and its headers, which may hold secrets, and no longer than is of use. */
export function loggedRequest (request: Pick<FastifyRequest, 'method' | 'url' | 'host' | 'ip'> & Pick<Partial<FastifyRequest>, 'ips'>) {
  const { method, url, host } = request
  const [path = ''] = url.split('?', 1)
  return { method, url: path.slice(0, most), host: host.slice(0, most), remoteAddress: clientAddress(request) }
}
