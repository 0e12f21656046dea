import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'

/** A step in the description of an aggregate. */
export interface DescribedStep {
  readonly name: string
  readonly kind: string
  readonly needs: readonly string[]
}

/** The part of an aggregate, or of a batch, that its kept runs show. They do not retain its functions. */
export interface DescribedRun {
  readonly name: string
  /** The URL template. */
  readonly url: string
  readonly steps: readonly DescribedStep[]
}

/** The part of an operation that kept runs show. */
export interface DescribedOperation {
  /** The name with its upstream. */
  readonly name: string
  readonly upstream: string
  readonly method: string
  /** The path template. */
  readonly template: string
}

const aggregates = new WeakMap<AnyAggregate, DescribedRun>()
const operations = new WeakMap<OperationSpec, DescribedOperation>()

/** Returns the description of an aggregate. All of its runs share it. */
export function describedAggregate(aggregate: AnyAggregate): DescribedRun {
  const known = aggregates.get(aggregate)
  if (known !== undefined) return known
  const { name, route, steps } = aggregate
  const described: DescribedRun = {
    name,
    url: route.url,
    steps: steps.map(({ name: step, kind, needs }) => ({
      name: step,
      kind,
      needs: needs.map(need => (steps[need] as (typeof steps)[number]).name),
    })),
  }
  aggregates.set(aggregate, described)
  return described
}

/** Returns the description of a batch without secrets in the ids of its calls. */
export function withHiddenIds(described: DescribedRun, hide: (text: string) => string): DescribedRun {
  return {
    ...described,
    steps: described.steps.map(({ name, kind, needs }) => ({ name: hide(name), kind, needs: needs.map(hide) })),
  }
}

/** Returns the description of an operation. */
export function describedOperation(spec: OperationSpec): DescribedOperation {
  let described = operations.get(spec)
  if (described === undefined) {
    const { name, upstream, method, template } = spec
    operations.set(spec, (described = { name, upstream: upstream.name, method, template: template.path }))
  }
  return described
}
