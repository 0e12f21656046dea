/**
 * Tells whether a `cache-control` lets a shared cache give a reply to another caller (RFC 9111, section 5.2.2).
 * `private` and `no-cache` that name fields are about those fields alone.
 */
export function allowsSharedCache(cacheControl: string): boolean {
  const directives = cacheControl
    .toLowerCase()
    .replaceAll(/"[^"]*"/g, '')
    .split(',')
    .map(directive => directive.trim())
  return !['private', 'no-store', 'no-cache'].some(directive => directives.includes(directive))
}
