/** An answer as it came. */
export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly head: string
  readonly body: string
}

/**
 * Reads the whole answers off what has come, and what is left; interim ones (1xx) are passed over. Some answers have no
 * body.
 */
export function readAnswers(
  received: string,
  isBare: (index: number) => boolean,
): { readonly answers: readonly Answer[]; readonly left: string } {
  const answers: Answer[] = []
  let left = received
  for (let end = left.indexOf('\r\n\r\n'); end !== -1; end = left.indexOf('\r\n\r\n')) {
    const head = left.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    const headers = new Map(
      head
        .split('\r\n')
        .slice(1)
        .map(
          each => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()] as const,
        ),
    )
    const rest = left.slice(end + 4)
    const isBodiless = status < 200 || status === 204 || status === 304 || isBare(answers.length)
    const taken = isBodiless
      ? { body: '', length: 0 }
      : headers.get('transfer-encoding') === 'chunked'
        ? chunks(rest)
        : whole(rest, Number(headers.get('content-length') ?? 0))
    if (taken === undefined) break
    left = rest.slice(taken.length)
    if (status >= 200 || Number.isNaN(status)) answers.push({ status, headers, head, body: taken.body })
  }
  return { answers, left }
}

function whole(rest: string, length: number): { readonly body: string; readonly length: number } | undefined {
  return rest.length < length ? undefined : { body: rest.slice(0, length), length }
}

/** Reads chunks up to the last one, which is empty. */
function chunks(rest: string): { readonly body: string; readonly length: number } | undefined {
  let body = ''
  for (let at = 0; ;) {
    const start = rest.indexOf('\r\n', at) + 2
    const size = Number.parseInt(rest.slice(at, start), 16)
    if (start === 1 || !(rest.length >= start + size + 2)) return undefined
    body += rest.slice(start, start + size)
    at = start + size + 2
    if (size === 0) return { body, length: at }
  }
}
