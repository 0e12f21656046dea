import { readEventId, type EventId } from './event-id.ts'

/** The first run of a stream and the number of its run: what the ids of its events have in common. */
export type StreamId = Pick<EventId, 'run' | 'attempt'>

/**
 * Returns the id of the stream that a request opens, or undefined if the stream of its `last-event-id` must not be
 * repeated: it has ended, or it was repeated before. The id of the last event has all that this needs, so that any
 * worker can decide it.
 *
 * @param lastEventId - The header of the request; undefined if it has none, or if its method or form does not resume.
 * @param run - The id of the new run.
 */
export function resumedStream(lastEventId: unknown, run: string): StreamId | undefined {
  const last = typeof lastEventId === 'string' ? readEventId(lastEventId) : undefined
  if (last === undefined) return { run, attempt: 1 }
  return last.isEnd || last.attempt === 2 ? undefined : { run: last.run, attempt: 2 }
}
