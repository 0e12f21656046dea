/** Limit on the response to `CONNECT` in bytes, informational responses included. */
const maxBytes = 16 * 1024

/** Informational responses (1xx) accepted before the final one. */
const maxInformational = 8

/** The result of `CONNECT`: a tunnel with the bytes that have already come through it, or the reason of a refusal. */
export type ConnectResult = { readonly rest: Buffer } | { readonly refusal: string }

/**
 * Parses the response to `CONNECT` (RFC 9110, section 9.3.6). Every 2xx opens the tunnel. All bytes after its headers
 * belong to the tunnel, whatever its `content-length` and `transfer-encoding` are. So the headers are not parsed.
 */
export class ConnectResponse {
  /** The status line and headers so far, in pieces: joining them for each piece would take quadratic time. */
  #pieces: string[] = []
  /** The last characters so far, which may be the start of the end of the headers. */
  #tail = ''
  #taken = 0
  #informational = 0

  /** Parses the next chunk. Returns the result as soon as it is known. It must not be called again after that. */
  add(chunk: Buffer): ConnectResult | undefined {
    let text = chunk.toString('latin1')
    for (;;) {
      // RFC 9112, section 2.2: a line may end with LF alone, and an empty line may come first.
      const blank = this.#pieces.length === 0 ? (/^[\r\n]*/.exec(text) as RegExpExecArray)[0].length : 0
      const piece = text.slice(blank)
      const seen = this.#tail + piece
      const end = /\r?\n\r?\n/.exec(seen)
      const rest = end === null ? '' : seen.slice(end.index + end[0].length)
      if (piece !== '') this.#pieces.push(piece)
      this.#taken += text.length - rest.length
      // Seven non-empty pieces have at least seven characters, which have been checked by then.
      if (this.#pieces.length <= 7 && !'HTTP/1.'.startsWith(this.#pieces.join('').slice(0, 7)))
        return { refusal: 'the proxy answered CONNECT with something that is not HTTP/1.1' }
      if (this.#taken > maxBytes) return { refusal: `the proxy answered CONNECT with more than ${maxBytes} bytes` }
      this.#tail = seen.slice(-3)
      if (end === null) return undefined

      const [, status = 'none'] = /^HTTP\/1\.[01][\t ]+(\d{3})(?=\s)/.exec(this.#pieces.join('')) ?? []
      if (status.startsWith('2')) return { rest: Buffer.from(rest, 'latin1') }
      // A 101 would be an upgrade, which was not requested.
      if (!status.startsWith('1') || status === '101')
        return { refusal: `the proxy answered CONNECT with status ${status}` }
      if (++this.#informational > maxInformational)
        return { refusal: `the proxy answered CONNECT with more than ${maxInformational} interim answers` }
      this.#pieces = []
      this.#tail = ''
      text = rest
    }
  }
}
