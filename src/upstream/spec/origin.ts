/**
 * Returns why a text is not an origin, with the fix; `undefined` if it is one. An origin may have a path only with
 * `mayHavePath`.
 */
export function originFault(origin: string, mayHavePath: boolean): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    // The text before an @ may be credentials, which a message must not repeat.
    return (
      `${origin.includes('@') ? 'this' : `'${origin}'`} is not an origin: write ` +
      'scheme, host and port, for example https://catfact.ninja'
    )
  }
  const { username, password, search, hash, pathname } = url
  if (username + password !== '') return 'the origin contains credentials: send them as a header'
  if (search + hash !== '') return `'${origin}' is more than an origin: remove the query and the fragment`
  if (!mayHavePath && pathname !== '/') return `'${origin}' is more than an origin: move the path into the operations`
  return undefined
}
