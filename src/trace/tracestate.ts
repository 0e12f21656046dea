import { listMembers } from '../core/list-header.ts'

/** A member of the list: a key, which may have a tenant, and a value of printable characters that ends without a space. */
const member =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** The largest number of members. */
const maxMembers = 32

/** The largest length of the list, in characters. The specification advises to pass on at least 512. */
const maxLength = 512

/** A longer member is removed first if the list is too long, in characters. */
const longMember = 128

/**
 * Reads `tracestate` (W3C Trace Context, section 3.3): one value, or the values of several headers in their order.
 * Members are removed from a list of more than 512 characters, the long ones first, then the last ones.
 *
 * @returns The list without white space and empty members; `undefined` if it is empty or invalid.
 */
export function readTracestate(value: string | readonly string[]): string | undefined {
  const members = listMembers(value)
  if (members.length === 0 || members.length > maxMembers) return undefined
  const keys: string[] = []
  let length = members.length - 1
  for (const each of members) {
    if (!member.test(each)) return undefined
    const key = each.slice(0, each.indexOf('='))
    if (keys.includes(key)) return undefined
    keys.push(key)
    length += each.length
  }
  if (length > maxLength) return shortened(members, length)
  return value.length === length && typeof value === 'string' ? value : members.join(',')
}

/** Removes whole members until the list is short enough. */
function shortened(members: readonly string[], given: number): string | undefined {
  const kept = [...members]
  let length = given
  const remove = (at: number) => {
    const [removed] = kept.splice(at, 1) as [string]
    length -= removed.length + 1
  }
  for (let at = kept.length - 1; at >= 0 && length > maxLength; at--)
    if ((kept[at] as string).length > longMember) remove(at)
  while (length > maxLength) remove(kept.length - 1)
  return kept.length === 0 ? undefined : kept.join(',')
}
