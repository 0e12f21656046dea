import { z } from 'zod'
import { createRunView, applyEvent, type RunView } from '../../src/commands/run/run-view.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import type { BareEvent } from '../../src/fanout/events.ts'

/** An aggregate with a step of each kind, of which nothing is asked. */
export const drawn = aggregate('drawn', { url: '/drawn', deadline: 1000 })
  .required('first', () => 1)
  .each('pages', () => [], { needs: ['first'], concurrency: 4 })
  .firstOf('mirror', () => [], { needs: ['first'] })
  .optional('extra', () => 2, { fallback: null })
  .reply(z.object({}), () => ({}))

/** One event; what an event has beside its time is left out where it is nothing. */
export type EventEntry = readonly [at: number, type: BareEvent['type'], more?: object]

/** The view after some events. */
export function runViewAfter(told: readonly EventEntry[], deadline?: number): RunView {
  const view = createRunView(drawn, deadline)
  for (const [at, type, more = {}] of told) {
    applyEvent(view, {
      at,
      type,
      step: 0,
      call: 0,
      attempt: 1,
      attempts: 1,
      status: undefined,
      code: undefined,
      state: 'ok',
      tally: undefined,
      ...more,
    } as unknown as BareEvent)
  }
  return view
}
