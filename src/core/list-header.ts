const space = 0x20
const tab = 0x09

/** Returns a text without the spaces and tabs around it: the optional white space of RFC 9110, section 5.6.3. */
export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/**
 * Returns the members of a header that is a list of tokens (RFC 9110, section 5.6.1), without empty ones.
 *
 * @param header one line, several lines in order, or `undefined` for a missing header
 */
export function listMembers(header: string | readonly string[] | undefined): string[] {
  if (header === undefined) return []
  return String(header)
    .split(',')
    .map(trimSpace)
    .filter(member => member !== '')
}

function isSpace(code: number): boolean {
  return code === space || code === tab
}
