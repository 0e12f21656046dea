/** The parts of the id of an event. They are all that a stream needs to continue, so no worker stores anything. */
export interface EventId {
  /** The id of the first run of the stream, a UUID. */
  readonly run: string
  /** The number of the run: 1, and 2 after the stream was cut. */
  readonly attempt: 1 | 2
  /** True for the last event of a stream. */
  readonly isEnd: boolean
}

/** The number of digits of an event's number above which an id is not one of ours. */
const maxDigits = 9

/**
 * Returns the id of an event: the run, the attempt, and the number of the event or `end`.
 *
 * @param at - The number of the event in its stream, from 1; `end` for the last one.
 */
export function writeEventId(run: string, attempt: EventId['attempt'], at: number | 'end'): string {
  return `${run}.${attempt}.${at}`
}

/** Reads the value of `Last-Event-ID`. Returns undefined for a text that `writeEventId` does not write. */
export function readEventId(text: string): EventId | undefined {
  const [run = '', attempt, at = '', more] = text.length > 64 ? [] : text.split('.')
  if (more !== undefined || !isUuid(run) || (attempt !== '1' && attempt !== '2')) return undefined
  const isEnd = at === 'end'
  if (!isEnd && !isNumber(at)) return undefined
  return { run, attempt: attempt === '1' ? 1 : 2, isEnd }
}

function isUuid(text: string): boolean {
  if (text.length !== 36) return false
  for (let index = 0; index < 36; index++) {
    const isDash = index === 8 || index === 13 || index === 18 || index === 23
    if (isDash ? text[index] !== '-' : !isHexDigit(text.charCodeAt(index))) return false
  }
  return true
}

function isHexDigit(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 102)
}

function isNumber(text: string): boolean {
  if (text.length === 0 || text.length > maxDigits || text[0] === '0') return false
  for (let index = 0; index < text.length; index++) if (!isDigit(text.charCodeAt(index))) return false
  return true
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}
