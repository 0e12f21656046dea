/**
 * Returns the members of a header that is a list, without white space around them. Empty members are ignored (RFC 9110,
 * section 5.6.1). A comma in quotes is not understood.
 */
export function listMembers(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return []
  return (typeof value === 'string' ? value : value.join(','))
    .split(',')
    .map(member => member.trim())
    .filter(member => member !== '')
}
