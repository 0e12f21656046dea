import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { DefinitionFault } from './definitions-error.ts'
import { shownPath } from './shown-path.ts'

/** An aggregate, with its file and its export. */
export interface Found {
  readonly aggregate: AnyAggregate
  /** The path as `shownPath` returns it. */
  readonly file: string
  /** The name of the export, with the index if the export is a list: `all[0]`. */
  readonly key: string
}

/**
 * Returns the aggregates in the exports of a module and in exported lists. An aggregate without a reply is a fault.
 * Other exports are ignored.
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
    // For a CommonJS module, Node.js adds this export with the value of `default`. Each fault would be reported twice.
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
    ['required', 'optional', 'each', 'firstOf', 'pages', 'reply'].every(method => typeof value[method] === 'function')
  ) {
    return 'is an aggregate without a reply: end it with .reply(schema, merge)'
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
