import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { DefinitionFault } from './definitions-error.ts'
import { shownPath } from './shown-path.ts'

/** An aggregate and where it was found. */
export interface Found {
  readonly aggregate: AnyAggregate
  /** As the user would name it. */
  readonly file: string
  readonly key: string
}

/**
 * Takes the aggregates out of a module's exports, also out of an exported list of them; what only looks like one is a
 * fault.
 */
export function readModule(
  file: string,
  exports: Readonly<Record<string, unknown>>,
  faults: DefinitionFault[],
): Found[] {
  const found: Found[] = []
  const shown = shownPath(file)
  function take(key: string, value: unknown): void {
    const fault = faultOf(value)
    if (fault !== undefined) faults.push({ file: shown, reason: `export '${key}' ${fault}` })
    else if (isAggregate(value)) found.push({ aggregate: value, file: shown, key })
  }
  for (const [key, value] of Object.entries(exports)) {
    // What Node adds to a CommonJS module is said by its own names already.
    if (key === 'module.exports') continue
    if (Array.isArray(value)) value.forEach((item, index) => take(`${key}[${index}]`, item))
    else take(key, value)
  }
  return found
}

function isAggregate(value: unknown): value is AnyAggregate {
  return isObject(value) && ['name', 'route', 'steps', 'dependents', 'schema', 'merge'].every(field => field in value)
}

function faultOf(value: unknown): string | undefined {
  if (
    isObject(value) &&
    ['required', 'optional', 'each', 'firstOf', 'reply'].every(method => typeof value[method] === 'function')
  ) {
    return 'is an aggregate without a reply: end it with .reply(schema, merge)'
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
