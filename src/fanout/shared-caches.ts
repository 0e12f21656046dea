/**
 * Returns whether a `cache-control` allows a shared cache to use a reply for another caller (RFC 9111, section 5.2.2).
 * `private` and `no-cache` with field names apply to these fields only.
 */
export function allowsSharedCache(cacheControl: string): boolean {
  const directives = directivesOf(cacheControl)
  return !['private', 'no-store', 'no-cache'].some(directive => directives.includes(directive))
}

/** Returns whether a `cache-control` allows any cache to store a reply. */
export function allowsStoring(cacheControl: string): boolean {
  return !directivesOf(cacheControl).includes('no-store')
}

function directivesOf(cacheControl: string): string[] {
  return cacheControl
    .toLowerCase()
    .replaceAll(/"[^"]*"/g, '')
    .split(',')
    .map(directive => directive.trim())
}
