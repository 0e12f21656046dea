import { kindOf } from './option-values.ts'

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Returns why a value cannot be sent in a header, with the fix; `undefined` if it can be sent. A header holds
 * characters of Latin-1 without control characters other than the tab (RFC 9110, section 5.5).
 */
export function headerValueFault(value: unknown): string | undefined {
  if (typeof value === 'string') return headerValue.test(value) ? undefined : characterFault(value)
  if (value instanceof Date) return 'it must be a string, got a Date: write toUTCString() or toISOString()'
  return `it must be a string such as 'cats/1.0', got ${kindOf(value)}`
}

function characterFault(value: string): string {
  let point = 0
  for (const character of value) {
    if (headerValue.test(character)) continue
    point = character.codePointAt(0) as number
    break
  }
  return (
    `U+${point.toString(16).toUpperCase().padStart(4, '0')} is a control character or beyond Latin-1: ` +
    'encode the value, for example with encodeURIComponent(…)'
  )
}
