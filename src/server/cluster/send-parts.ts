import { runPieces } from '../../core/pieces.ts'

/** The number of characters of a part of a text. */
const partCharacters = 32_768

/** A part of a text that is sent to another process. */
export interface TextPart {
  readonly text: string
  readonly isLast: boolean
}

/**
 * Sends a text in parts, one part per turn of the event loop.
 *
 * @param text The text. An empty text is one part.
 * @param send Sends one part.
 */
export function sendParts(text: string, send: (part: TextPart) => void): Promise<void> {
  return runPieces(
    (function* () {
      for (let from = 0; from === 0 || from < text.length; from += partCharacters) {
        const end = from + partCharacters
        send({ text: text.slice(from, end), isLast: end >= text.length })
        yield
      }
    })(),
  )
}
