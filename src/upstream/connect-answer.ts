/** Bytes of an answer to `CONNECT` at most, interim answers included. */
const maxBytes = 16 * 1024

/** Interim answers (1xx) taken before the final one. */
const maxInterim = 8

/** How an answer to `CONNECT` ended: with a tunnel and the bytes that came through it already, or with the reason why there is none. */
export type ConnectResult = { readonly rest: Buffer } | { readonly refusal: string }

/**
 * Reads the answer to `CONNECT` (RFC 9110, section 9.3.6). Every 2xx makes the tunnel, and what follows its head belongs to the
 * tunnel whatever `content-length` and `transfer-encoding` say. So no header matters, and none is parsed.
 */
export class ConnectAnswer {
  #text = ''
  #taken = 0
  #interim = 0

  /** Takes bytes as they come; returns the result as soon as it is known, and must be given nothing after that. */
  add (chunk: Buffer): ConnectResult | undefined {
    this.#text += chunk.toString('latin1')
    for (;;) {
      // RFC 9112, section 2.2: a line may end with LF alone, and an empty line may come first.
      const [blank = ''] = /^[\r\n]*/.exec(this.#text) as RegExpExecArray
      const text = this.#text.slice(blank.length)
      if (!'HTTP/1.'.startsWith(text.slice(0, 7))) return { refusal: 'the proxy answered CONNECT with something that is not HTTP/1.1' }
      const end = /\r?\n\r?\n/.exec(text)
      const length = end === null ? this.#text.length : blank.length + end.index + end[0].length
      if (this.#taken + length > maxBytes) return { refusal: `the proxy answered CONNECT with more than ${maxBytes} bytes` }
      if (end === null) return undefined

      const rest = this.#text.slice(length)
      const [, status = 'none'] = /^HTTP\/1\.[01][\t ]+(\d{3})(?=\s)/.exec(text) ?? []
      if (status.startsWith('2')) return { rest: Buffer.from(rest, 'latin1') }
      // 101 would be an upgrade, and none was asked for.
      if (!status.startsWith('1') || status === '101') return { refusal: `the proxy answered CONNECT with status ${status}` }
      if (++this.#interim > maxInterim) return { refusal: `the proxy answered CONNECT with more than ${maxInterim} interim answers` }
      this.#taken += length
      this.#text = rest
    }
  }
}
