/** The width of a terminal that most people have at least, in columns. */
const width = 80

/** Stands for a space at which a line is not wrapped. */
const firm = '\u00a0'

/** Returns a text at whose spaces no line is wrapped. */
export function together(text: string): string {
  return text.replaceAll(' ', firm)
}

/**
 * Wraps a line at its spaces. A word that is longer than a line, such as a URL, is cut after a `/`, `&` or `?`, or at
 * the end of the line.
 *
 * @param indent - The number of spaces before each line after the first.
 */
export function wrapped(line: string, indent: number): string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > width) {
    const end = endOfLine(rest, lines.length === 0 ? startOf(rest) : indent)
    lines.push(rest.slice(0, end).trimEnd())
    rest = ' '.repeat(indent) + rest.slice(end).trimStart()
  }
  return [...lines, rest].map(each => each.replaceAll(firm, ' '))
}

/** Returns the number of characters of the first line. */
function endOfLine(text: string, start: number): number {
  const space = text.lastIndexOf(' ', width)
  const isUseful = (at: number) => at > start + (width - start) / 3
  if (isUseful(space)) return space
  const mark = Math.max(...['/', '&', '?'].map(each => text.lastIndexOf(each, width - 1)))
  if (!isUseful(mark)) return width
  return text[mark] === '&' ? mark : mark + 1
}

/** Returns the number of spaces at the start of a text. */
function startOf(text: string): number {
  return text.length - text.trimStart().length
}
