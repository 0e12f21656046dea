import { z } from 'zod'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Step } from '../../fanout/step.ts'

/** Returns the first of the examples in a schema's metadata, or undefined. */
export function exampleOf(schema: z.ZodType): unknown {
  const examples = z.globalRegistry.get(schema)?.['examples']
  return Array.isArray(examples) ? (examples[0] as unknown) : undefined
}

/**
 * Returns an example of a whole reply, or undefined if the reply's schema has none.
 *
 * @param level The part of the sources that callers see.
 */
export function replyExample({ schema, route, steps }: AnyAggregate, level: SourcesLevel): unknown {
  const data = exampleOf(schema)
  if (data === undefined || !route.envelope) return data
  if (level === 'none') return { data, complete: true }
  const outcomeOf = (step: Step) => (level === 'states' ? { state: 'ok' } : outcome(step, steps))
  return { data, complete: true, sources: Object.fromEntries(steps.map(step => [step.name, outcomeOf(step)])) }
}

function outcome(step: Step, steps: readonly Step[]): object {
  const times = { state: 'ok', start: Math.round((depth(step, steps) * 30.9 + 0.4) * 10) / 10, ms: 30.6, attempts: 1 }
  if (step.kind === 'each' || step.kind === 'pages') return { ...times, calls: 1, ok: 1, failed: [] }
  return step.kind === 'firstOf'
    ? { ...times, attempts: step.count + 1, calls: step.count + 1, ok: step.count, failed: [] }
    : times
}

/** Returns the length of the longest chain of steps that a step needs. */
function depth({ needs }: Step, steps: readonly Step[]): number {
  return Math.max(0, ...needs.map(need => 1 + depth(steps[need] as Step, steps)))
}
