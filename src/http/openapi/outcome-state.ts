import { z } from 'zod'
import type { State } from '../../fanout/outcome.ts'

const states = ['ok', 'stale', 'partial', 'fallback', 'skipped', 'failed', 'cancelled'] satisfies State[]

/** The outcome of a step if callers see its state alone. */
export const OutcomeState = z
  .object({
    state: z.enum(states),
    fault: z.string().optional().describe('The rehearsed fault that acted on the step. Absent without one.'),
  })
  .describe(
    'The state in which a step ended. `partial`: some of its calls failed, or items are omitted. `fallback`: a ' +
      'fallback replaces its value. `stale`: a stale cached response replaces its value.',
  )
  .meta({ id: 'OutcomeState' })
