import type { StreamEvent } from '../../../src/client/index.ts'
import { readEventId } from '../../../src/http/stream/event-id.ts'

type Name = StreamEvent['event']

/** The fields of each event. The compiler compares them with the types of the client. */
const fields: { readonly [N in Name]: Readonly<Record<keyof Extract<StreamEvent, { readonly event: N }>, true>> } = {
  plan: { event: true, run: true, deadline: true, steps: true, calls: true },
  source: { event: true, name: true, outcome: true },
  item: { event: true, name: true, index: true, calls: true, state: true, code: true, status: true },
  snapshot: { event: true, data: true, complete: true, pending: true },
  call: {
    event: true,
    id: true,
    operation: true,
    state: true,
    status: true,
    complete: true,
    sources: true,
    data: true,
    problem: true,
  },
  reply: { event: true, status: true, headers: true, body: true },
  problem: { event: true, status: true, headers: true, body: true },
}

/** Returns the faults of the lines of a stream: a field that an event does not have, and a wrong first or last event. */
export function lineFaults(text: string): string[] {
  const events = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { readonly event: Name })
  const names = events.map(({ event }) => event)
  return [
    ...events.flatMap(({ event, ...others }) =>
      Object.keys(others).flatMap(field => (field in (fields[event] ?? {}) ? [] : [`${event} has no field ${field}`])),
    ),
    ...(names[0] === 'plan' ? [] : ['the first event must be plan']),
    ...(['reply', 'problem'].includes(names.at(-1) ?? '') ? [] : ['the last event must be reply or problem']),
  ]
}

/** Returns the faults of server-sent events: those of their data, an id that we do not write, and another name. */
export function sentEventFaults(text: string): string[] {
  const events = text
    .split('\n\n')
    .map(part =>
      Object.fromEntries(
        part
          .trim()
          .split('\n')
          .map(line => line.split(/: ?(.*)/s).slice(0, 2)),
      ),
    )
    .filter(({ data }) => data !== undefined)
  return [
    ...lineFaults(events.map(({ data }) => data).join('\n')),
    ...events.flatMap(({ id = '', event, data = '{}' }) => [
      ...(readEventId(id) === undefined ? [`${id} is not the id of an event`] : []),
      ...((JSON.parse(data) as { event: string }).event === event ? [] : [`the data of ${event} has another event`]),
    ]),
  ]
}
