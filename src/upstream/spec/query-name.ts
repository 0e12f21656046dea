import { readings } from '../../core/url-text.ts'

/** The limit on remembered names, because a caller may send any number of names. */
const mostKept = 256

/** A longer name counts as reserved, so that the check of a name takes little time. */
const longest = 256

/**
 * Creates a function that returns whether a server could read a query field's name as `reserved`. Names are compared
 * without letter case, decoded as in `readings`, in these forms:
 *
 * - up to a bracket or a dot (`key[]`, `key[a]`, `key.a`)
 * - without brackets and dots before the name (`[key]`), as qs and Rack 2 read them
 * - with `_` for white space, dots and brackets, as PHP reads them
 */
export function queryNameMatcher(reserved: string): (name: string) => boolean {
  const own = underscored(reserved)
  const others = new Set<string>()
  return name => {
    if (others.has(name)) return false
    if (name.length > longest) return true
    const all = readings(name.toLowerCase())
    if (all === undefined || all.some(reading => piecesOf(reading).some(piece => underscored(piece) === own)))
      return true
    if (others.size < mostKept) others.add(name)
    return false
  }
}

/** Brackets and dots before a name. */
const leading = /^[\s.[\]]+/

/**
 * Returns the names that a server may read in a name. A server that decodes before it splits also finds separators in
 * it.
 */
function piecesOf(reading: string): string[] {
  return reading
    .split(/[&;=?#\0]/)
    .flatMap(field => [
      field,
      ...field.split(/[.[]/, 1),
      ...field.split('[', 1),
      ...field.replace(leading, '').split(/[.[\]]/, 1),
    ])
}

function underscored(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[\p{Cf}\ufffd]/gu, '')
    .trim()
    .replaceAll(/[\s.[\]+]/g, '_')
}
