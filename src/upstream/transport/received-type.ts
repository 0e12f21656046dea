/** The most characters of a content type that are shown. */
const longestType = 100
/** The most characters of a charset that are shown. */
const longestCharset = 40

/** Returns the cause of a refused content type: an error that names the type, for the log and the operator. */
export function receivedType(type: string | string[] | undefined): Error {
  return causeOf(
    type === undefined ? 'the answer has no content type' : `the content type is '${shown(String(type), longestType)}'`,
  )
}

/** Returns the cause of a refused charset: an error that names the charset, for the log and the operator. */
export function receivedCharset(charset: string): Error {
  return causeOf(`the charset '${shown(charset, longestCharset)}' cannot be decoded`)
}

/** Returns a text of the upstream, cut, and with printable ASCII only. */
function shown(text: string, longest: number): string {
  return text.slice(0, longest).replaceAll(/[^\x20-\x7e]/g, '?')
}

function causeOf(message: string): Error {
  // As for `UpstreamError`: failing is a hot path, and the stack says nothing.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new Error(message)
  Error.stackTraceLimit = stackTraceLimit
  return error
}
