import { pathFault } from './path-fault.ts'

/** Returns why a text is not an origin with an optional base path, with the fix; `undefined` if it is one. */
export function originFault(origin: string): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    // The text before an @ may be credentials, which a message must not repeat.
    return (
      `${origin.includes('@') ? 'this' : `'${origin}'`} is not an origin: write ` +
      'scheme, host and port, for example https://catfact.ninja'
    )
  }
  const { username, password, search, hash } = url
  if (username + password !== '') return 'the origin contains credentials: send them as a header'
  if (search + hash !== '') return `'${origin}' is more than an origin: remove the query and the fragment`
  // A URL is normalized: it has no dot segments and no backslashes any more, so the text itself is checked.
  const fault = pathFault(origin.slice(origin.indexOf(':') + 1))
  return fault === undefined ? undefined : `the origin '${origin}' contains ${fault}: write the path without it`
}

/** Returns the base path of an origin, without slashes at its end. It is empty for an origin without a path. */
export function basePath({ pathname }: URL): string {
  return pathname.replace(/(?<!\/)\/+$/, '')
}

/** Returns the text of an origin: scheme, host and port, and the base path. It never contains credentials. */
export function originText(url: URL): string {
  return url.origin + basePath(url)
}
