/** Why there was no answer. */
export type Failure =
  'timed out' | 'cut off at the end' | 'connection refused' | 'connection lost' | 'not HTTP' | (string & {})

const words: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection lost',
  EPIPE: 'connection lost',
  UND_ERR_SOCKET: 'connection lost',
  ETIMEDOUT: 'connection lost',
}

/** The kind of a failure of undici's; one that has no words here is called by its code. */
export function failureOf(error: Error): Failure {
  const { code = error.name } = error as NodeJS.ErrnoException
  // Some bytes that are no answer fail an assertion of undici's.
  if (error.name === 'HTTPParserError' || code === 'ERR_ASSERTION') return 'not HTTP'
  return words[code] ?? code
}

/** Whether it went on for as long as it could: how long an answer takes is then known to be more. */
export function isLowerBound(failure: Failure): boolean {
  return failure === 'timed out' || failure === 'cut off at the end'
}
