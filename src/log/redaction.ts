import { secretWords } from '../core/secret-words.ts'
import { cutMark } from './cut.ts'
import { Finder } from './finder.ts'
import { spellings } from './spellings.ts'

export const hidden = '[redacted]'

/** A kind of credentials that is found by its form at any place in a line. */
interface Secret {
  /** Matches a part of every such text. It is tested first, because the pattern costs much more and few lines match. */
  readonly mark: RegExp
  readonly pattern: RegExp
}

/**
 * Matches every line in which one of the patterns may match. Most lines do not match, so one pass is enough for them.
 */
const anyMark = /[=@J\\]|\[cut\]|[Bb](?:earer|asic)|BEARER|BASIC/

const names = `${secretWords.join('|')}|api[-_]key|[a-z]{1,30}[-_]token|client[-_]secret|x-amz-signature`

const patterns: readonly Secret[] = [
  {
    mark: /=/,
    pattern: new RegExp(`(?<=[?&](?:[\\w.-]{1,30}(?:\\[|%5B))?(?:${names})(?:\\]|%5D)?=)[^&\\s"\\\\#]+`, 'gi'),
  },
  // If a text was cut, the `@` after the credentials may be missing.
  { mark: /@|\[cut\]/, pattern: /(?<=\/\/)[^/\s"\\@]+?(?=@|\[cut\])/g },
  { mark: /bearer|basic/i, pattern: /(?<=\b(?:bearer|basic)(?: |%20|\+|:|=))[\w.~+/%-]{8,}=*/gi },
  // A JSON Web Token begins with the base64 of `{"`, which is `eyJ`.
  { mark: /J/, pattern: /(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g },
  // A field of JSON within a text. Its quotes are escaped at least once.
  { mark: /\\/, pattern: new RegExp(`(?<=\\\\"(?:${names})\\\\{1,7}"\\s?:\\s?\\\\{1,7}")[^"\\\\]+`, 'gi') },
]

/** The largest number of learnt secrets that are kept. Above it the oldest secret is dropped. */
const mostLearnt = 128

/** The smallest length at which a text counts as the beginning of a secret, in characters. */
const shortestBeginning = 3

/** Hides secrets in lines of the log. */
export class Redaction {
  /** The spellings of the secrets that are never dropped. */
  readonly #added = new Map<string, readonly string[]>()
  readonly #learnt = new Map<string, readonly string[]>()
  #finder: Finder | undefined
  /** The texts to hide, by their first characters. */
  #byHead: ReadonlyMap<string, readonly string[]> = new Map()
  /** The length of the longest text to hide. */
  #longest = 0
  #isStale = true

  /** @param secrets - Values that are hidden in every line. */
  constructor(secrets: readonly string[] = []) {
    this.add(secrets)
  }

  /** Adds secrets. They are hidden in all later lines and are never dropped. */
  add(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (this.#added.has(secret)) continue
      this.#added.set(secret, spellings(secret))
      this.#isStale = true
    }
  }

  /** Adds a secret with a limited lifetime, such as a token. It is dropped after `mostLearnt` newer ones. */
  learn(secret: string): void {
    if (this.#learnt.has(secret)) return
    this.#learnt.set(secret, spellings(secret))
    if (this.#learnt.size > mostLearnt) this.#learnt.delete(this.#learnt.keys().next().value as string)
    this.#isStale = true
  }

  /** Returns the line without secrets. */
  readonly hide = (line: string): string => {
    if (this.#isStale) this.#make()
    let clean = this.#finder === undefined ? line : this.#finder.replace(line, hidden)
    if (!anyMark.test(clean)) return clean
    if (clean.includes(cutMark)) clean = this.#hideCut(clean)
    for (const { mark, pattern } of patterns) if (mark.test(clean)) clean = clean.replaceAll(pattern, hidden)
    return clean
  }

  #make(): void {
    this.#isStale = false
    const values = new Set([...this.#added.values(), ...this.#learnt.values()].flat())
    this.#finder = values.size === 0 ? undefined : new Finder([...values])
    this.#byHead = Map.groupBy(values, value => value.slice(0, shortestBeginning))
    this.#longest = Math.max(0, ...Array.from(values, ({ length }) => length))
  }

  /**
   * Hides the beginnings of secrets at the places where a text was cut. Each character is read once, because a text
   * from outside can contain many marks.
   */
  #hideCut(line: string): string {
    let clean = ''
    let from = 0
    for (let at = line.indexOf(cutMark); at !== -1; at = line.indexOf(cutMark, at + 1)) {
      const end = this.#beginning(line, Math.max(from, at - this.#longest + 1), at)
      clean += end < at ? line.slice(from, end) + hidden : line.slice(from, at)
      from = at
    }
    return clean + line.slice(from)
  }

  /** Returns the start of a cut secret that ends at `to`, or `to` if no secret ends there. */
  #beginning(line: string, from: number, to: number): number {
    for (let start = from; start <= to - shortestBeginning; start++) {
      const values = this.#byHead.get(line.slice(start, start + shortestBeginning))
      if (values === undefined) continue
      const text = line.slice(start, to)
      if (values.some(value => value.startsWith(text))) return start
    }
    return to
  }
}
