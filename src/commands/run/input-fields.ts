import { fieldsOf } from '../../core/schema/wrapped.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'

/** One value that an aggregate takes in its path or its query. */
export interface InputField {
  readonly part: 'params' | 'query'
  readonly name: string
  /** The description that the author gave the schema. */
  readonly description: string | undefined
  /** True if a run needs it. */
  readonly isRequired: boolean
}

/** Returns the values that an aggregate takes by name, params first. */
export function inputFields({ route }: AnyAggregate): InputField[] {
  return (['params', 'query'] as const).flatMap(part =>
    [...(route[part] === undefined ? [] : fieldsOf(route[part]))].map(([name, { schema, isRequired }]) => ({
      part,
      name,
      description: schema.description,
      isRequired,
    })),
  )
}

/** Returns the part of the help text that lists the fields of an aggregate. */
export function fieldsHelp(aggregate: AnyAggregate): string {
  const fields = inputFields(aggregate).map(({ name, description = '', isRequired }) =>
    `  --${name}${isRequired ? ' (required)' : ''}  ${description}`.trimEnd(),
  )
  const body = aggregate.route.body === undefined ? '' : '\n  --body (required)'
  return `\nFields of ${aggregate.name}\n${fields.length === 0 ? '  none' : fields.join('\n')}${body}\n`
}
