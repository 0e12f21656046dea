import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'

/**
 * Refuses requests for a host that is neither an IP address nor `localhost`.
 *
 * A web page can let its own name resolve to the address of this server (DNS rebinding). The browser then takes the
 * replies as those of the page's origin, and the page can read them. `Host` has the name of the page in such a request.
 * A browser always sends `Host`, so a request of HTTP/1.0 without it is accepted.
 *
 * @param detail - The detail of the problem.
 */
export function refuseOtherHosts(app: FastifyInstance, detail: string): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const host = hostOf(raw)
    if (host === undefined || isAddressOrLocalhost(host)) done()
    else done(new Problem('MISDIRECTED', { detail }))
  })
}

/**
 * Returns the host name of a request's target URI. The host of a target in absolute form replaces `Host` (RFC 9112,
 * section 3.2.2). `X-Forwarded-Host` is not read, because any sender can set it.
 *
 * @returns `undefined` if the request has no host, and an empty text if its host is not valid.
 */
function hostOf({ url, headers: { host } }: IncomingMessage): string | undefined {
  const target = url as string
  if (!target.startsWith('/')) return URL.parse(target)?.hostname ?? ''
  if (host === undefined) return undefined
  const parsed = URL.parse(`http://${host}`)
  // The parser also accepts user information, a path, a query and a fragment, which `Host` must not have.
  return parsed?.href === `http://${parsed?.host}/` ? parsed.hostname : ''
}

/**
 * Returns whether a host name in the form of the URL parser is an IP address, `localhost` or a name below `localhost`,
 * which always stands for a loopback address (RFC 6761, section 6.3).
 */
function isAddressOrLocalhost(hostname: string): boolean {
  if (hostname.startsWith('[')) return true
  const name = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) === 4
}
