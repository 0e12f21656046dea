/** The maximum length of a content type in a message, in characters. */
const longestType = 100
/** The maximum length of a charset in a message, in characters. */
const longestCharset = 40

/** Returns the cause of a refused content type: an error that contains the type, for the log. */
export function receivedType(type: string | string[] | undefined): Error {
  return causeOf(
    type === undefined ? 'the answer has no content type' : `the content type is '${shown(String(type), longestType)}'`,
  )
}

/** Returns the cause of a refused charset: an error that contains the charset, for the log. */
export function receivedCharset(charset: string): Error {
  return causeOf(`the charset '${shown(charset, longestCharset)}' cannot be decoded`)
}

/** Returns a text of the upstream, truncated, with printable ASCII only. */
function shown(text: string, longest: number): string {
  return text.slice(0, longest).replaceAll(/[^\x20-\x7e]/g, '?')
}

function causeOf(message: string): Error {
  // No stack is recorded, as for `UpstreamError`: failing is a hot path, and the stack has no information.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new Error(message)
  Error.stackTraceLimit = stackTraceLimit
  return error
}
