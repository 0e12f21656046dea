import type { IncomingHttpHeaders } from 'node:http'
import { cutMark } from '../../log/cut.ts'
import { hidden } from '../../log/redaction.ts'
import { cleanError } from './clean-error.ts'

/** Headers with credentials. */
export const credentialHeaders: readonly string[] = [
  'authorization',
  'cookie',
  'set-cookie',
  'proxy-authorization',
  'x-api-key',
]

/** The last words of the names of other headers with credentials. */
const credentialWords: ReadonlySet<string> = new Set(['key', 'password', 'secret', 'session', 'token'])

/** The largest number of texts that are hidden. A caller may send thousands of cookies. */
const mostTexts = 100

/** A shorter text occurs in too many lines by chance. */
const shortest = 4

/**
 * The credentials that a caller sent in headers. An upstream may repeat a header that was forwarded to it, and the code
 * of an aggregate may put a header into an error. The values are not kept after the request, so a log cannot learn
 * them.
 */
export class CallerCredentials {
  readonly #headers: IncomingHttpHeaders
  /** The texts to hide, the longest first; undefined before the first use. */
  #texts: readonly string[] | undefined

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers
  }

  /** Returns a text without the credentials, also without the beginning of one where the text was cut. */
  hide(text: string): string {
    this.#texts ??= textsOf(this.#headers)
    let clean = text
    for (const secret of this.#texts) clean = hideBeginnings(clean.replaceAll(secret, hidden), secret)
    return clean
  }

  /** Returns a copy of a thrown value for the log, without the credentials; the value itself if it shows none. */
  hideIn(error: unknown): unknown {
    this.#texts ??= textsOf(this.#headers)
    if (this.#texts.length === 0) return error
    return cleanError(error, text => this.hide(text))
  }
}

/** Hides the beginning of a secret before each mark of a cut. */
function hideBeginnings(text: string, secret: string): string {
  let clean = ''
  let from = 0
  for (let end = text.indexOf(cutMark); end !== -1; end = text.indexOf(cutMark, end + 1)) {
    const start = beginning(text, secret, Math.max(from, end - secret.length + 1), end)
    clean += start < end ? text.slice(from, start) + hidden : text.slice(from, end)
    from = end
  }
  return clean + text.slice(from)
}

/** Returns the start of the longest prefix of a secret that ends at `end`, or `end` without such a prefix. */
function beginning(text: string, secret: string, from: number, end: number): number {
  const head = secret.slice(0, shortest)
  for (let start = text.indexOf(head, from); start !== -1 && start <= end - shortest;) {
    if (secret.startsWith(text.slice(start, end))) return start
    start = text.indexOf(head, start + 1)
  }
  return end
}

function textsOf(headers: IncomingHttpHeaders): readonly string[] {
  const texts = new Set<string>()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && isCredential(name))
      for (const each of typeof value === 'string' ? [value] : value)
        // A credential in a URL is encoded.
        for (const text of partsOf(name, each)) texts.add(text).add(encodeURIComponent(text.toWellFormed()))
  return [...texts]
    .filter(({ length }) => length >= shortest)
    .sort((one, other) => other.length - one.length)
    .slice(0, mostTexts)
}

/** Returns the secret parts of a header. The scheme of `authorization` and the names of cookies are not secret. */
function partsOf(name: string, value: string): readonly string[] {
  if (name === 'cookie') return [value, ...value.split(';').map(pair => pair.slice(pair.indexOf('=') + 1).trim())]
  if (!name.endsWith('authorization')) return [value]
  const credentials = value.slice(value.indexOf(' ') + 1).trim()
  const decoded = Buffer.from(credentials, 'base64').toString()
  return [credentials, decoded, decoded.slice(decoded.indexOf(':') + 1)]
}

function isCredential(name: string): boolean {
  return credentialHeaders.includes(name) || credentialWords.has(name.slice(name.lastIndexOf('-') + 1))
}
