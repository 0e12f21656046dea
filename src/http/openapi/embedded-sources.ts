import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { documentedSources, type DocumentedSource } from './documented-sources.ts'
import { embeddedSchema } from './embedded-schema.ts'
import { envelopeOf } from './envelope.ts'
import { ContextOutcome, ListOutcome, Outcome } from './outcome-schema.ts'
import { OutcomeState } from './outcome-state.ts'
import { ProblemBody } from './problem-schema.ts'
import type { JsonSchema } from './schema-types.ts'

const code = { type: 'string', description: 'The code of the failure.' }

/**
 * Returns one object schema for all variants of an outcome. A list of the variants in every operation would be long.
 */
function outcomeOf(schema: typeof Outcome | typeof ListOutcome): JsonSchema {
  const { oneOf, description } = embeddedSchema(schema, 'output', 'the outcomes') as unknown as {
    readonly description: string
    readonly oneOf: readonly {
      readonly properties: Readonly<Record<string, JsonSchema>>
      readonly required: readonly string[]
    }[]
  }
  const states = oneOf.flatMap(
    ({ properties: { state } }) => (state?.['enum'] as string[] | undefined) ?? state?.['const'],
  )
  const properties = Object.assign({}, ...oneOf.map(variant => variant.properties)) as Record<string, JsonSchema>
  return {
    type: 'object',
    description,
    properties: {
      ...properties,
      state: { type: 'string', enum: states },
      ...(properties['code'] && { code }),
      ...(properties['failed'] && { failed: { ...properties['failed'], items: lossOf(properties['failed']) } }),
    },
    required: oneOf.map(({ required }) => required).reduce((all, each) => all.filter(name => each.includes(name))),
  }
}

function lossOf({ items }: JsonSchema): JsonSchema {
  const { properties, ...loss } = items as { readonly properties: Readonly<Record<string, JsonSchema>> }
  return { ...loss, properties: { ...properties, code } }
}

const made = new Map<typeof Outcome | typeof ListOutcome, JsonSchema>()

function madeOnce(schema: typeof Outcome | typeof ListOutcome): JsonSchema {
  const known = made.get(schema) ?? outcomeOf(schema)
  made.set(schema, known)
  return known
}

function sourceOf({ schema, description }: DocumentedSource): JsonSchema {
  if (schema !== ContextOutcome) return madeOnce(schema as typeof Outcome | typeof ListOutcome)
  return { description, anyOf: [madeOnce(Outcome), madeOnce(ListOutcome)] }
}

function stateOf({ description }: DocumentedSource): JsonSchema {
  return { ...embeddedSchema(OutcomeState, 'output', 'the outcomes'), description }
}

function sourcesOf(aggregate: AnyAggregate, level: SourcesLevel): Readonly<Record<string, JsonSchema>> {
  const schemaOf = level === 'states' ? stateOf : sourceOf
  return Object.fromEntries(documentedSources(aggregate).map(source => [source.name, schemaOf(source)]))
}

/**
 * Returns the reply of an aggregate with an envelope.
 *
 * @param level The part of the sources that callers see.
 */
export function enveloped(aggregate: AnyAggregate, data: JsonSchema, level: SourcesLevel): JsonSchema {
  const required = documentedSources(aggregate).flatMap(({ name, isRequired }) => (isRequired ? [name] : []))
  return {
    type: 'object',
    ...envelopeOf(
      data,
      level !== 'none' && {
        type: 'object',
        description: 'How each source ended.',
        properties: sourcesOf(aggregate, level),
        ...(required.length > 0 && { required }),
      },
    ),
  }
}

/**
 * Returns the body of a problem reply of an aggregate.
 *
 * @param level The part of the sources that callers see.
 */
export function problemOf(aggregate: AnyAggregate, level: SourcesLevel): JsonSchema {
  const {
    properties: { sources, ...properties },
    ...problem
  } = embeddedSchema(ProblemBody, 'output', 'the problems') as {
    readonly properties: Readonly<Record<string, JsonSchema>>
  }
  return {
    ...problem,
    properties: {
      ...properties,
      code,
      ...(level !== 'none' && {
        sources: {
          type: 'object',
          description: sources?.['description'],
          properties: sourcesOf(aggregate, level),
        },
      }),
    },
  }
}
