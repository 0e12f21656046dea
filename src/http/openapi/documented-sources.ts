import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { hasSeveralCalls, type Step } from '../../fanout/step.ts'
import { ContextOutcome, ListOutcome, Outcome } from './outcome-schema.ts'

/** An entry of `sources`, as documents describe it. */
export interface DocumentedSource {
  readonly name: string
  readonly schema: typeof Outcome | typeof ListOutcome | typeof ContextOutcome
  /** For callers. */
  readonly description: string
  /** False for an entry that a reply may lack. */
  readonly isRequired: boolean
}

/** Returns the entries that `sources` of an aggregate can have, in the order of a reply. */
export function documentedSources({ steps, hooks }: AnyAggregate): readonly DocumentedSource[] {
  const sources = steps.map(step => ({
    name: step.name,
    schema: hasSeveralCalls(step.kind) ? ListOutcome : Outcome,
    description: describeStep(step),
    isRequired: true,
  }))
  return hooks.context === undefined
    ? sources
    : [
        {
          name: hooks.context.name,
          schema: ContextOutcome,
          description:
            'The function of context(). Absent if it succeeds without a call. If it fails, the request fails.',
          isRequired: false,
        },
        ...sources,
      ]
}

function describeStep({ kind, minSuccess, count, maxItems, overflow }: Step): string {
  if (kind === 'required') return 'If it fails, the request fails.'
  if (kind === 'optional') return 'If it fails, a fallback replaces its value.'
  if (kind === 'firstOf')
    return `Several calls of which the first ${count === 1 ? 'success is' : `${count} successes are`} used.`
  if (kind === 'pages') return describePages(minSuccess === 0, maxItems, overflow)
  const losses =
    minSuccess === undefined
      ? 'If one fails, the request fails.'
      : minSuccess === 0
        ? 'A fallback replaces the value of each failed call.'
        : `If fewer than ${minSuccess} succeed, the request fails.`
  const limit =
    overflow === 'truncate'
      ? ` At most ${maxItems} items are called; the others are omitted, and the state is \`partial\`.`
      : ''
  return `Several calls. ${losses}${limit}`
}

function describePages(keepsPages: boolean, maxPages: number, overflow: Step['overflow']): string {
  const losses = keepsPages
    ? 'If one fails, the pages before it are used, and the state is `partial`.'
    : 'If one fails, the request fails.'
  const limit =
    overflow === 'truncate'
      ? ` At most ${maxPages} pages are called; the others are omitted, and the state is \`partial\`.`
      : ''
  return `Pages, one call each. ${losses}${limit}`
}
