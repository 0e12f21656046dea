/**
 * Says what keeps a text from being an origin, and how to mend it; nothing when it is one. Only some origins may carry
 * a path.
 */
export function originFault(origin: string, mayHavePath: boolean): string | undefined {
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    // Before an @ stand credentials, which must not be said again.
    return (
      `${origin.includes('@') ? 'this' : `'${origin}'`} is not an origin: write ` +
      'scheme, host and port, for example https://catfact.ninja'
    )
  }
  const { username, password, search, hash, pathname } = url
  if (username + password !== '') return 'the origin holds credentials: send them as a header'
  if (search + hash !== '') return `'${origin}' is more than an origin: leave the query and the fragment out`
  if (!mayHavePath && pathname !== '/') return `'${origin}' is more than an origin: put the path into the operations`
  return undefined
}
