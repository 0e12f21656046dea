import type { IncomingHttpHeaders } from 'node:http'
import { cutMark } from '../../log/cut.ts'
import { hidden } from '../../log/redaction.ts'

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
 * The credentials that a caller sent in headers. The reason of a failure has words of an upstream, and an upstream may
 * repeat a header that was forwarded to it. The values are not kept after the request, so a log cannot learn them.
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
    for (const secret of this.#texts) {
      clean = clean.replaceAll(secret, hidden)
      const end = clean.lastIndexOf(cutMark)
      for (let length = Math.min(end, secret.length - 1); length >= shortest; length--)
        if (clean.endsWith(secret.slice(0, length), end)) {
          clean = clean.slice(0, end - length) + hidden + clean.slice(end)
          break
        }
    }
    return clean
  }
}

function textsOf(headers: IncomingHttpHeaders): readonly string[] {
  const texts = new Set<string>()
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && isCredential(name))
      for (const each of typeof value === 'string' ? [value] : value)
        for (const text of partsOf(name, each)) texts.add(text)
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
