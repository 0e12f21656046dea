/** The largest number of times that a function may read values that are not known. A loop over them must end. */
const mostReads = 10_000

/** The largest number of characters of one template. */
const longestTemplate = 200

/** The shortest nonce that no text of a caller contains by chance. */
const nonceLength = 10

/** One token of a text, or a part of one. */
interface FoundToken {
  readonly start: number
  readonly end: number
  readonly template: string | undefined
}

/**
 * The templates of one explanation. Each has a token: a text of unreserved characters, which every writer of a URL, a
 * header and a body leaves as it is. The token stands for the value until the explanation is shown.
 */
export class TemplateBook {
  readonly #prefix: string
  readonly #templates: string[] = []
  readonly #tokens = new Map<string, string>()
  readonly #compared = new Set<string>()
  readonly #written = new Set<string>()
  #reads = 0

  constructor() {
    let nonce = ''
    while (nonce.length < nonceLength) nonce += Math.random().toString(36).slice(2)
    this.#prefix = `hw${nonce.slice(0, nonceLength)}`
  }

  /** Starts the reads of one function. */
  begin(): void {
    this.#reads = 0
    this.#compared.clear()
    this.#written.clear()
  }

  /**
   * Counts one read of a value that is not known.
   *
   * @throws `RangeError` above the limit.
   */
  read(): void {
    if (++this.#reads > mostReads)
      throw new RangeError(`the function read more than ${mostReads} values that are not known`)
  }

  /** Returns the token of a template. */
  tokenOf(template: string): string {
    const known = this.#tokens.get(template)
    if (known !== undefined) return known
    const token = `${this.#prefix}x${this.#templates.push(cut(template)) - 1}z`
    this.#tokens.set(template, token)
    return token
  }

  /** Returns whether a text has a token. */
  hasToken(text: string): boolean {
    return text.toLowerCase().includes(this.#prefix)
  }

  /** Returns a text in which each token is its template in braces. */
  shown(text: string): string {
    let shown = ''
    let from = 0
    for (const { start, end, template } of this.#tokensIn(text)) {
      shown += `${text.slice(from, start)}{${template ?? '…'}}`
      from = end
    }
    return shown + text.slice(from)
  }

  /** Returns the templates whose tokens a text has, each once, in the order of the text. */
  templatesIn(text: string): readonly string[] {
    const found = Array.from(this.#tokensIn(text), ({ template }) => template)
    return Array.from(new Set(found)).filter(template => template !== undefined)
  }

  /** Finds the tokens of a text, in one pass. A part of a token has no template. */
  *#tokensIn(text: string): Generator<FoundToken> {
    const lower = text.toLowerCase()
    let start = lower.indexOf(this.#prefix)
    while (start !== -1) {
      const index = start + this.#prefix.length + 1
      let end = index
      while (isDigit(lower.charCodeAt(end))) end++
      const template = lower[end] === 'z' ? this.#templates[Number(lower.slice(index, end))] : undefined
      if (template !== undefined) end++
      yield { start, end, template }
      start = lower.indexOf(this.#prefix, end)
    }
  }

  /** Records that the present function used the value of a template as a text, a number or a condition. */
  compared(template: string): void {
    this.#compared.add(cut(template))
  }

  /** Records that the present function passed the values of a token to a call. */
  wrote(token: string): void {
    for (const template of this.templatesIn(token)) this.#written.add(template)
  }

  /** The templates whose values the present function has passed to calls. */
  get written(): readonly string[] {
    return [...this.#written]
  }

  /** The templates that the present function has used as a text, a number or a condition. */
  get comparisons(): ReadonlySet<string> {
    return this.#compared
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function cut(template: string): string {
  return template.length > longestTemplate ? `${template.slice(0, longestTemplate)}…` : template
}
