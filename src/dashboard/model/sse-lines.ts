/** The length in characters above which an event is refused, so that a broken server does not exhaust the memory. */
const maxLength = 2 ** 26

/**
 * Returns a function that takes the pieces of a stream of server-sent events, and calls the listener with each event.
 * A comment is dropped, and so are `id` and `retry`: after a lost connection the service sends everything again.
 *
 * @throws RangeError for an event of more than 2^26 characters
 */
export function readEvents(listener: (type: string, data: string) => void): (piece: string) => void {
  // The pieces of a line are joined once: the time of a long line grows with its length only.
  const pieces: string[] = []
  let length = 0
  let type = ''
  let data = ''
  const takeLine = (line: string) => {
    if (line === '') {
      if (data !== '') listener(type === '' ? 'message' : type, data)
      type = data = ''
    } else if (line.startsWith('data:')) data += (data === '' ? '' : '\n') + valueOf(line, 5)
    else if (line.startsWith('event:')) type = valueOf(line, 6)
  }
  return piece => {
    let from = 0
    for (let end = piece.indexOf('\n'); end !== -1; end = piece.indexOf('\n', from)) {
      pieces.push(piece.slice(from, end))
      const line = pieces.join('')
      pieces.length = 0
      from = end + 1
      takeLine(line.endsWith('\r') ? line.slice(0, -1) : line)
      length = data.length
    }
    if (from < piece.length) pieces.push(piece.slice(from))
    length += piece.length - from
    if (length > maxLength) throw new RangeError(`an event has more than ${maxLength} characters`)
  }
}

const valueOf = (line: string, from: number) => line.slice(line[from] === ' ' ? from + 1 : from)
