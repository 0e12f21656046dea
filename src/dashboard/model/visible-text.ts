/**
 * Returns a text of a caller or of an upstream in which each character that hides or reorders text is written as an
 * escape: `\u202e`. They are control characters, separators of lines, the marks of bidirectional text and spaces
 * without a width.
 */
export function visibleText(text: string): string {
  let visible = ''
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isHidden(code)) continue
    visible += `${text.slice(copied, at)}\\u${code.toString(16).padStart(4, '0')}`
    copied = at + 1
  }
  return copied === 0 ? text : visible + text.slice(copied)
}

function isHidden(code: number): boolean {
  if (code < 0x7f) return code < 0x20
  return (
    code <= 0x9f ||
    code === 0x061c ||
    code === 0x200b ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0xfeff
  )
}
