import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Step } from '../../fanout/step.ts'
import { embeddedSchema } from './embedded-schema.ts'
import { ListOutcome, Outcome } from './outcome-schema.ts'
import { ProblemBody } from './problem-schema.ts'
import type { JsonSchema } from './schema-types.ts'

const code = { type: 'string', description: 'The code of the failure.' }

/** Returns one object schema of the variants of an outcome, which would be long in every operation. */
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

function outcome({ kind }: Pick<Step, 'kind'>): JsonSchema {
  const schema = kind === 'each' || kind === 'firstOf' ? ListOutcome : Outcome
  const known = made.get(schema) ?? outcomeOf(schema)
  made.set(schema, known)
  return known
}

/** Returns the reply of an aggregate with an envelope. */
export function enveloped({ steps }: AnyAggregate, data: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: {
      data,
      complete: { type: 'boolean', description: 'Whether every step is `ok` or `skipped`.' },
      sources: {
        type: 'object',
        description: 'How each step ended.',
        properties: Object.fromEntries(steps.map(step => [step.name, outcome(step)])),
        ...(steps.length > 0 && { required: steps.map(({ name }) => name) }),
      },
    },
    required: ['data', 'complete', 'sources'],
  }
}

/** Returns the body of a problem reply of an aggregate. */
export function problemOf({ steps }: AnyAggregate): JsonSchema {
  const { properties, ...problem } = embeddedSchema(ProblemBody, 'output', 'the problems') as {
    readonly properties: Readonly<Record<string, JsonSchema>>
  }
  return {
    ...problem,
    properties: {
      ...properties,
      code,
      sources: {
        type: 'object',
        description: properties['sources']?.['description'],
        properties: Object.fromEntries(steps.map(step => [step.name, outcome(step)])),
      },
    },
  }
}
