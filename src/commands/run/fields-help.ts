import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { inputFields } from './input-fields.ts'

/** What an aggregate takes, for its `--help`. */
export function fieldsHelp(aggregate: AnyAggregate): string {
  const fields = inputFields(aggregate).map(({ name, description = '', isRequired }) =>
    `  --${name}${isRequired ? ' (required)' : ''}  ${description}`.trimEnd(),
  )
  return `\nFields of ${aggregate.name}\n${fields.length === 0 ? '  none' : fields.join('\n')}${aggregate.route.body === undefined ? '' : '\n  --body (required)'}\n`
}
