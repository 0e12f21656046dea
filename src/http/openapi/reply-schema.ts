import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Components } from './components.ts'
import { documentedSources } from './documented-sources.ts'
import { envelopeOf } from './envelope.ts'
import { componentName } from './operation-id.ts'
import { OutcomeState } from './outcome-state.ts'
import type { JsonSchema } from './schema-types.ts'

/**
 * Returns the schema of the body of a reply.
 *
 * @param level The part of the sources that callers see.
 */
export function replySchema(aggregate: AnyAggregate, level: SourcesLevel, components: Components): JsonSchema {
  const { name, route } = aggregate
  const data = dataSchema(aggregate, components)
  if (!route.envelope) return data
  const sources = level !== 'none' && sourcesSchema(aggregate, level, components)
  return components.named(
    `${componentName(name)}Reply`,
    { type: 'object', description: `The reply of \`${name}\`.`, ...envelopeOf(data, sources) },
    `aggregate '${name}', reply`,
  )
}

/** Returns the schema of the data of a reply. */
export function dataSchema({ name, schema }: AnyAggregate, components: Components): JsonSchema {
  return components.schema(schema, 'output', `aggregate '${name}', reply`)
}

/** Returns the schema of the field `sources` of a reply. */
export function sourcesSchema(
  aggregate: AnyAggregate,
  level: Exclude<SourcesLevel, 'none'>,
  components: Components,
): JsonSchema {
  const { steps } = aggregate
  const outcomes = documentedSources(aggregate).map(
    source =>
      [
        source.name,
        {
          ...components.schema(level === 'states' ? OutcomeState : source.schema, 'output', 'the outcomes'),
          description: source.description,
        },
      ] as const,
  )
  return {
    type: 'object',
    description: 'How each step ended.',
    properties: Object.fromEntries(outcomes),
    ...(steps.length > 0 && { required: steps.map(step => step.name) }),
  }
}
