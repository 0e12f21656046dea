import { readings } from '../../core/url-text.ts'

/** Most names that are remembered: a caller may choose any number of names. */
const mostKept = 256

/** A longer name is taken for the reserved one, so that no name costs much time. */
const longest = 256

/**
 * Makes a function that tells whether a server could read a query field's name as `reserved`. Names are compared
 * without letter case, decoded as in `readings`, up to a bracket or a dot (`key[]`, `key[a]`, `key.a`), without
 * brackets and dots before it (`[key]`), as qs and Rack 2 read them, and with `_` for white space, dots and brackets,
 * as PHP reads them.
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

/** The names that a server may see in a name: where it decodes before it splits, separators are among them. */
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
