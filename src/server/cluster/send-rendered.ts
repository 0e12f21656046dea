import type { ToWorker } from './messages.ts'
import { sendParts } from './send-parts.ts'

/**
 * Sends a worker the text that it has asked for, in parts.
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
    await sendParts(await rendering, part => send({ kind: 'rendered', id, ...part }))
  } catch {
    send({ kind: 'notRendered', id })
  }
}
