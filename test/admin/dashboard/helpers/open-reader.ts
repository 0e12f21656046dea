import type { Test } from 'tap'
import type { DashboardEvent } from '../../../../src/dashboard/protocol.ts'
import { until } from '../../../helpers/until.ts'

type EventOf<Type extends DashboardEvent['type']> = Extract<DashboardEvent, { readonly type: Type }>

/** One open dashboard, without a browser. */
export interface OpenReader {
  /** All events so far. */
  readonly events: readonly DashboardEvent[]
  /** The ids of the events so far; empty for an event without one. */
  readonly ids: readonly string[]
  readonly headers: Headers
  /** Resolves with the next event of a type that was not returned before. */
  readonly next: <Type extends DashboardEvent['type']>(type: Type) => Promise<EventOf<Type>>
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>
  readonly close: () => void
}

/** Opens a dashboard: reads the events of `GET /dashboard/events`. */
export async function openReader(t: Test, origin: string, headers: Record<string, string> = {}): Promise<OpenReader> {
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const response = await fetch(`${origin}/dashboard/events`, { headers, signal: abort.signal })
  if (response.status !== 200) throw new Error(`the events were answered with ${response.status}`)
  const events: DashboardEvent[] = []
  const ids: string[] = []
  const taken = new Map<string, number>()
  let isOver = false

  const ended = (async () => {
    let rest = ''
    try {
      for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const texts = (rest + text).split('\n\n')
        rest = texts.pop() ?? ''
        for (const each of texts) {
          const field = (name: string) =>
            each
              .split('\n')
              .find(line => line.startsWith(`${name}: `))
              ?.slice(name.length + 2) ?? ''
          const event = JSON.parse(field('data')) as DashboardEvent
          if (field('event') !== event.type) throw new Error(`the event ${event.type} has the name ${field('event')}`)
          ids.push(field('id'))
          events.push(event)
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error
    } finally {
      isOver = true
    }
  })()

  return {
    events,
    ids,
    headers: response.headers,
    ended,
    next: async <Type extends DashboardEvent['type']>(type: Type) => {
      const place = () => events.findIndex((event, index) => event.type === type && index >= (taken.get(type) ?? 0))
      await until(() => {
        if (place() === -1 && isOver) throw new Error(`the stream has ended without the event ${type}`)
        return place() !== -1
      })
      const at = place()
      taken.set(type, at + 1)
      return events[at] as EventOf<Type>
    },
    close: () => abort.abort(),
  }
}
