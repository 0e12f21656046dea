import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { DeclaredProblem } from '../../fanout/declared-problems.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Components } from './components.ts'
import { documentedProblem, kindOf, problemHeaders } from './problem-responses.ts'
import { problemSchemas } from './problem-schema.ts'
import type { JsonSchema } from './schema-types.ts'

/** Returns the schemas of the problems that an aggregate declares, by status. */
export function problemBodies(
  { name, route: { problems = new Map<number, DeclaredProblem>() } }: AnyAggregate,
  level: SourcesLevel,
  components: Components,
): ReadonlyMap<number, JsonSchema> {
  const bodyOf = (status: number, { schema }: DeclaredProblem): JsonSchema => {
    const base = components.schema(problemSchemas[level].declared, 'output', 'the problems')
    if (schema === undefined) return base
    return { allOf: [base, components.schema(schema, 'input', `aggregate '${name}', problems[${status}]`)] }
  }
  return new Map(Array.from(problems, ([status, declared]) => [status, bodyOf(status, declared)]))
}

/** Returns the responses of the problems that an aggregate declares, by status. */
export function declaredResponses(
  aggregate: AnyAggregate,
  level: SourcesLevel,
  components: Components,
  statuses: readonly (string | number)[],
): Readonly<Record<string, JsonSchema>> {
  const { problems = new Map<number, DeclaredProblem>() } = aggregate.route
  const responseOf = ([status, declared]: [number, JsonSchema]): [string, JsonSchema] => {
    const { description } = problems.get(status) as DeclaredProblem
    // The checks before the aggregate, and failures of the run, reply with the same status.
    const other = statuses.includes(status) ? kindOf(status) : undefined
    const shared =
      other === undefined
        ? declared
        : { anyOf: [components.schema(problemSchemas[level].own, 'output', 'the problems'), declared] }
    return [
      String(status),
      {
        description: other === undefined ? description : `${description}\n\nOr: ${other.description}`,
        headers: problemHeaders(status, components),
        content: documentedProblem(shared),
      },
    ]
  }
  return Object.fromEntries(Array.from(problemBodies(aggregate, level, components), responseOf))
}
