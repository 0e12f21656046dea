/** Stands at the end of a text that was cut. */
export const cutMark = '[cut]'

/** The longest reason, message, path or other text that others have written, in characters. */
export const longest = 500

/** Returns a text of at most `most` characters; one that was cut ends with `[cut]` and how much is missing. */
export function cut(text: string, most = longest): string {
  return text.length <= most ? text : `${text.slice(0, most)}${cutMark} (${text.length - most} more)`
}
