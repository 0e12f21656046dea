/**
 * Returns whether a `cache-control` allows a shared cache to use a reply for another caller (RFC 9111, section 5.2.2).
 * `private` and `no-cache` with field names apply to these fields only.
 */
export function allowsSharedCache(cacheControl: string): boolean {
  const directives = cacheControl
    .toLowerCase()
    .replaceAll(/"[^"]*"/g, '')
    .split(',')
    .map(directive => directive.trim())
  return !['private', 'no-store', 'no-cache'].some(directive => directives.includes(directive))
}
