/** The mark at the end of a text that was cut. */
export const cutMark = '[cut]'

/** The largest length of a reason, a message, a path or another text from outside, in characters. */
export const longest = 500

/**
 * Returns a text of at most `most` characters. A text that was cut ends with `[cut]` and the number of missing
 * characters.
 */
export function cut(text: string, most = longest): string {
  return text.length <= most ? text : `${text.slice(0, most)}${cutMark} (${text.length - most} more)`
}
