import { Problem } from '../errors.ts'
import { suggest } from '../core/suggest.ts'
import { fieldsOf } from '../core/schema/wrapped.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { RawInput } from '../fanout/input.ts'
import { explain, type ExplainOptions } from './explain.ts'
import type { Explanation, ListedAggregate, ListedField } from './explanation.ts'

/** The largest number of explanations that wait for the one in progress. */
const mostWaiting = 8

/** A question about one aggregate. */
export interface Question {
  readonly input: RawInput
  /** A deadline that is shorter than that of the aggregate, in ms. @default that of the aggregate */
  readonly deadline?: number | undefined
  /** Values of steps, by name, in place of placeholders. @default {} */
  readonly values?: Readonly<Record<string, unknown>>
}

/**
 * Explains the aggregates of a service, one after the other: the functions of their steps run in the event loop of the
 * service.
 */
export class Explainer {
  readonly #aggregates: ReadonlyMap<string, AnyAggregate>
  readonly #options: ExplainOptions
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(aggregates: readonly AnyAggregate[], options: ExplainOptions) {
    this.#aggregates = new Map(aggregates.map(aggregate => [aggregate.name, aggregate]))
    this.#options = options
  }

  /** Returns the aggregates with the fields of their input. */
  list(): ListedAggregate[] {
    return Array.from(this.#aggregates.values(), ({ name, route }) => ({
      name,
      method: route.method,
      url: route.url,
      fields: fieldsOfRoute(route),
    }))
  }

  /**
   * Returns an aggregate by its name.
   *
   * @throws Problem `NOT_FOUND` that names the nearest aggregate.
   */
  find(name: string): AnyAggregate {
    const found = this.#aggregates.get(name)
    if (found !== undefined) return found
    const names = [...this.#aggregates.keys()]
    throw new Problem('NOT_FOUND', {
      detail: `There is no aggregate of this name${suggest(name, names) || `: use ${names.join(', ')}`}.`,
    })
  }

  /**
   * Explains an aggregate after the explanations that were asked before.
   *
   * @throws Problem `NOT_FOUND` for an unknown name, and for a step in `values` that the aggregate does not have.
   * @throws Problem `INPUT_INVALID` with all faults of the input.
   * @throws Problem `OVERLOADED` if too many explanations wait.
   */
  async explain(name: string, { input, deadline, values = {} }: Question): Promise<Explanation> {
    const aggregate = this.find(name)
    checkValues(aggregate, values)
    if (this.#waiting === mostWaiting)
      throw new Problem('OVERLOADED', {
        detail: 'Too many explanations are in progress: ask again.',
        retryAfterSeconds: 1,
      })
    this.#waiting++
    const turn = this.#last.then(() => explain(aggregate, input, { ...this.#options, deadline, values }))
    this.#last = turn.then(nothing, nothing)
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }
}

/** Refuses a value for a step that the aggregate does not have. */
function checkValues({ steps }: AnyAggregate, values: Readonly<Record<string, unknown>>): void {
  const names = steps.map(({ name }) => name)
  const faults = Object.keys(values)
    .filter(name => !names.includes(name))
    .map(name => ({
      pointer: `/query/value.${name}`,
      reason: `names no step${suggest(name, names) || `: use ${names.join(', ')}`}`,
    }))
  if (faults.length > 0)
    throw new Problem('INPUT_INVALID', { detail: 'A value is not for a step: see errors.', faults })
}

function fieldsOfRoute(route: AnyAggregate['route']): ListedField[] {
  const named = (['params', 'query', 'headers'] as const).flatMap(part => {
    const schema = route[part]
    if (schema === undefined) return []
    return Array.from(fieldsOf(schema), ([name, { isRequired }]) => ({ name, in: part, required: isRequired }))
  })
  if (route.body === undefined) return named
  return [...named, { name: 'body', in: 'body', required: !route.body.safeParse(undefined).success }]
}

function nothing(): void {}
