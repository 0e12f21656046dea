import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { fieldsOf } from '../../core/schema/wrapped.ts'

/** One value that an aggregate takes in its path or its query. */
export interface InputField {
  readonly part: 'params' | 'query'
  readonly name: string
  /** The author's sentence, where there is one. */
  readonly description: string | undefined
  /** Whether a run needs it. */
  readonly isRequired: boolean
}

/** The values an aggregate takes by name, params first. */
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
