/**
 * Characters that a terminal acts on, or that hide or reorder a text: control and format characters, which include the
 * marks of bidirectional text (UAX 9), and separators of lines and paragraphs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Returns a text in which each character that controls a terminal is written as an escape: `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, each => `\\u${(each.codePointAt(0) as number).toString(16).padStart(4, '0')}`)
}
