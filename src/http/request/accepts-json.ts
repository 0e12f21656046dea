import { listMembers } from '../../core/list-header.ts'

/**
 * Returns whether an `accept` header accepts JSON (RFC 9110, section 12.5.1). The most specific matching range decides,
 * and `q=0` excludes it. Without the header, or with an empty list, everything is accepted.
 */
export function acceptsJson(header: string | undefined): boolean {
  if (header === undefined || header === '*/*' || header === 'application/json') return true
  const ranges = listMembers(header.toLowerCase())
  if (ranges.length === 0) return true
  let best = -1
  let quality = 0
  for (const range of ranges) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim())
    const specific = ['*/*', 'application/*', 'application/json'].indexOf(type)
    if (specific < best || specific === -1) continue
    best = specific
    quality = qualityOf(parameters)
  }
  return quality > 0
}

function qualityOf(parameters: readonly string[]): number {
  const value = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
  if (value === undefined) return 1
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0
}
