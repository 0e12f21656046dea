/**
 * Characters that a terminal acts on, or that hide or reorder a text: control characters, separators of lines, the
 * marks of bidirectional text (UAX 9) and spaces without a width. Joiners are kept, since some scripts and emoji need
 * them.
 */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Returns a text in which each character that controls a terminal is written as an escape: `\u001b`. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Returns a text of several lines for a terminal. Line breaks are kept. Other characters that control the terminal are
 * escaped.
 */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}
