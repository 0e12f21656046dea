import { trimSpace } from './list-header.ts'

/**
 * Returns the target of the first link with a relation type (RFC 8288), for example that of `rel="next"`. Links with an
 * `anchor` are ignored, because they do not start at the response that has the header.
 *
 * @param header One line of `Link`, or several lines in order.
 * @param relation The relation type in lower case.
 * @returns The target as it is written, which may be relative; `undefined` without such a link.
 */
export function linkTarget(header: string | readonly string[], relation: string): string | undefined {
  for (const line of typeof header === 'string' ? [header] : header) {
    const target = new LinkReader(line).find(relation)
    if (target !== undefined) return target
  }
  return undefined
}

/** Reads one line as RFC 8288, appendix B.2, does. Reading ends at the first text that cannot begin a link. */
class LinkReader {
  readonly #line: string
  #at = 0

  constructor(line: string) {
    this.#line = line
  }

  find(relation: string): string | undefined {
    const line = this.#line
    for (this.#skip(' \t,'); line[this.#at] === '<'; this.#skip(' \t,')) {
      const end = line.indexOf('>', this.#at)
      if (end === -1) return undefined
      const target = line.slice(this.#at + 1, end)
      this.#at = end + 1
      if (this.#hasRelation(relation)) return target
    }
    return undefined
  }

  /** Reads the parameters of one link. Of several `rel`, only the first one counts (section 3.3). */
  #hasRelation(relation: string): boolean {
    let types: string | undefined
    let hasAnchor = false
    for (this.#skip(' \t'); this.#line[this.#at] === ';'; this.#skip(' \t')) {
      this.#at++
      const name = trimSpace(this.#until('=;,')).toLowerCase()
      const value = this.#line[this.#at] === '=' ? this.#value() : ''
      if (name === 'rel') types ??= value
      else if (name === 'anchor') hasAnchor = true
    }
    return !hasAnchor && types !== undefined && types.toLowerCase().split(' ').includes(relation)
  }

  #value(): string {
    this.#at++
    this.#skip(' \t')
    return this.#line[this.#at] === '"' ? this.#quoted() : trimSpace(this.#until(';,'))
  }

  /** Reads a quoted string (RFC 9110, section 5.6.4). Without its closing quote it ends with the line. */
  #quoted(): string {
    const line = this.#line
    let text = ''
    for (this.#at++; this.#at < line.length && line[this.#at] !== '"'; this.#at++) {
      if (line[this.#at] === '\\') this.#at++
      text += line[this.#at] ?? ''
    }
    this.#at++
    return text
  }

  #skip(characters: string): void {
    while (this.#at < this.#line.length && characters.includes(this.#line[this.#at] as string)) this.#at++
  }

  #until(characters: string): string {
    const start = this.#at
    while (this.#at < this.#line.length && !characters.includes(this.#line[this.#at] as string)) this.#at++
    return this.#line.slice(start, this.#at)
  }
}
