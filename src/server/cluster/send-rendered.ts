import { runPieces } from '../../core/pieces.ts'
import type { ToWorker } from './messages.ts'

/** The number of characters of a part of a text. */
const partCharacters = 32_768

/**
 * Sends a worker the text that it has asked for, one part per turn of the event loop.
 *
 * @param id The id of the request.
 * @param rendering The text. If it rejects, the worker receives a failure without the reason.
 */
export async function sendRendered(
  send: (message: ToWorker) => void,
  id: number,
  rendering: Promise<string>,
): Promise<void> {
  try {
    const text = await rendering
    await runPieces(
      (function* () {
        for (let from = 0; from === 0 || from < text.length; from += partCharacters) {
          const end = from + partCharacters
          send({ kind: 'rendered', id, text: text.slice(from, end), isLast: end >= text.length })
          yield
        }
      })(),
    )
  } catch {
    send({ kind: 'notRendered', id })
  }
}
