/** Classes of replies: `whole` and `partial` as Headwaters defines them, `other` for a success without an envelope. */
export const replyClasses = ['whole', 'partial', 'other', 'refused', 'failed'] as const
export type ReplyClass = (typeof replyClasses)[number]

/** The kind of error of a request without a reply. For an error that is not listed, it is the code of the error. */
export type ErrorKind =
  'timed out' | 'cut off at the end' | 'connection refused' | 'connection lost' | 'not HTTP' | (string & {})

/** The result of one request: a reply that was received to its end, or an error. */
export type RequestOutcome =
  { readonly status: number; readonly reply: ReplyClass; readonly bytes: number } | { readonly error: ErrorKind }

const whole = Buffer.from('"complete":true,"sources":')
const partial = Buffer.from('"complete":false,"sources":')
/** The ends of an envelope without sources. */
const wholeEnd = Buffer.from(',"complete":true}')
const partialEnd = Buffer.from(',"complete":false}')

/** Classifies a reply by its status, its headers and the end of its body. */
export function classifyReply(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  tail: Buffer | undefined,
): ReplyClass {
  if (status === 503 && headers['retry-after'] !== undefined) return 'refused'
  if (status >= 400) return 'failed'
  const { 'headwaters-complete': complete } = headers
  if (complete !== undefined) return complete === '?1' ? 'whole' : 'partial'
  if (tail === undefined || !String(headers['content-type']).includes('json')) return 'other'
  if (endsWith(tail, wholeEnd)) return 'whole'
  if (endsWith(tail, partialEnd)) return 'partial'
  // The data may contain the same text. `complete` of the envelope comes after the data, so the last match is correct.
  const [wholeAt, partialAt] = [tail.lastIndexOf(whole), tail.lastIndexOf(partial)]
  if (wholeAt === partialAt) return 'other'
  return wholeAt > partialAt ? 'whole' : 'partial'
}

function endsWith(tail: Buffer, end: Buffer): boolean {
  return tail.length >= end.length && tail.subarray(-end.length).equals(end)
}

const kindsByCode: Readonly<Record<string, ErrorKind>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  UND_ERR_SOCKET: 'connection lost',
  ETIMEDOUT: 'connection lost',
}

/** Returns the kind of an error of undici or of a socket. */
export function errorKindOf(error: Error): ErrorKind {
  const { code = error.name } = error as NodeJS.ErrnoException
  // For some invalid HTTP, undici fails with an assertion instead of a parser error.
  if (error.name === 'HTTPParserError' || code === 'ERR_ASSERTION') return 'not HTTP'
  return kindsByCode[code] ?? code
}

/** Returns true if a time limit ended the request. Its measured time is then a lower bound of its latency. */
export function isLowerBound(error: ErrorKind): boolean {
  return error === 'timed out' || error === 'cut off at the end'
}
