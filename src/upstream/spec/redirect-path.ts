import { pathFault } from './path-fault.ts'

/** The place that redirects must not leave. */
export interface RedirectScope {
  /** The scheme, host and port of the upstream. */
  readonly origin: string
  /** The base path of the upstream, without a slash at its end; empty without one. */
  readonly prefix: string
  /** The name of the query field with the credential of the upstream; `undefined` without one. */
  readonly credential: string | undefined
}

/** The path and query that a redirect names, below the base path; or the reason why it is not followed. */
export type RedirectPath = { readonly path: string } | { readonly fault: string }

/**
 * Returns the path of a redirect. The origin and the base path of the upstream stay the same, and the path is one that
 * every server reads in the same way.
 *
 * @param location The values of the header `Location`.
 * @param from The path and query of the redirected request, below the base path.
 */
export function redirectPath(
  location: string | readonly string[],
  from: string,
  { origin, prefix, credential }: RedirectScope,
): RedirectPath {
  if (typeof location !== 'string') return { fault: 'it has several locations' }
  const base = origin + prefix + from
  if (!URL.canParse(location, base)) return { fault: 'its location is not a URL' }
  const url = new URL(location, base)
  // The `origin` of a `blob:` URL is that of the URL inside it.
  if (`${url.protocol}//${url.host}` !== origin) return { fault: 'its redirect leaves the origin' }
  if (url.username + url.password !== '') return { fault: 'its location contains credentials' }
  const { pathname } = url
  if (pathname !== prefix && !pathname.startsWith(`${prefix}/`)) return { fault: 'its redirect leaves the base path' }
  const fault = pathFault(pathname)
  if (fault !== undefined) return { fault: `its location contains ${fault}` }
  return { path: pathname.slice(prefix.length) + withoutField(url.search, credential) }
}

/** Returns a query without a field. The transport adds the credential to every request. */
function withoutField(search: string, name: string | undefined): string {
  if (name === undefined || search === '') return search
  const fields = search.slice(1).split('&')
  const others = fields.filter(field => !new URLSearchParams(field).has(name))
  if (others.length === fields.length) return search
  return others.length === 0 ? '' : `?${others.join('&')}`
}
