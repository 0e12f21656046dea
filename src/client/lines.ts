/** The length in characters above which a line is refused, so that a broken server does not exhaust the memory. */
const maxLineLength = 2 ** 26

/**
 * Yields each line of a body without its line feed. Ends with the body; text after the last line feed is dropped,
 * because the line was cut.
 *
 * @throws RangeError for a line of more than `maxLength` characters
 */
export async function* readLines(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxLength: number = maxLineLength,
): AsyncGenerator<string, void> {
  // Not every browser iterates a ReadableStream.
  const reader = body.getReader()
  const decoder = new TextDecoder()
  // The pieces of a line are joined once: the time of a long line grows with its length only.
  let pieces: string[] = []
  let length = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const text = decoder.decode(read.value, { stream: true })
    let from = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      pieces.push(text.slice(from, end))
      yield pieces.join('')
      pieces = []
      length = 0
      from = end + 1
    }
    pieces.push(text.slice(from))
    length += text.length - from
    if (length > maxLength) throw new RangeError(`a line of the stream has more than ${maxLength} characters`)
  }
}
