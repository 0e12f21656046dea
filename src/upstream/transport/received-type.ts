/** The most characters of a content type that are shown. */
const longest = 100

/**
 * Returns an error that says which content type came, to be the cause of the failure: the log and the operator get it,
 * and a caller does not. An upstream writes the type, so it is cut, and holds printable ASCII only.
 */
export function receivedType(type: string | string[] | undefined): Error {
  const received =
    type === undefined
      ? 'the answer has no content type'
      : `the content type is '${String(type)
          .slice(0, longest)
          .replaceAll(/[^\x20-\x7e]/g, '?')}'`
  // As for `UpstreamError`: failing is a hot path, and the stack says nothing.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new Error(received)
  Error.stackTraceLimit = stackTraceLimit
  return error
}
