const allowed = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-'

/** The largest length of a name, in characters. Keys and members contain it. */
const maxLength = 64

/**
 * Returns the fault of a prefix of keys or of the name of a replica, or `undefined` for a valid one. Braces are not
 * allowed: in a cluster, the text between them decides the server of a key.
 */
export function redisNameFault(name: unknown): string | undefined {
  const isValid =
    typeof name === 'string' &&
    name.length > 0 &&
    name.length <= maxLength &&
    Array.from(name).every(character => allowed.includes(character))
  return isValid ? undefined : `must be 1 to ${maxLength} letters, digits or . _ : -`
}
