import type { Call } from './call/call.ts'
import type { Operation } from './operation.ts'
import type { AnyOperationOptions } from './spec/operation-options.ts'
import type { OperationSpec, UpstreamSpec } from './spec/spec.ts'

/** The operations of each upstream. */
const operationsOfSpecs = new WeakMap<UpstreamSpec, OperationSpec[]>()

/** The options of the operations of each upstream, by their names. */
const optionsOfSpecs = new WeakMap<UpstreamSpec, Record<string, AnyOperationOptions>>()

/** The declarations of the operations of upstreams. */
const specsOfOperations = new WeakMap<object, OperationSpec>()

/** The operations of the declarations. */
const operationsBySpec = new WeakMap<OperationSpec, (input?: unknown) => Call<unknown>>()

/** Records an upstream, which has no operations yet. */
export function recordUpstream(spec: UpstreamSpec): void {
  operationsOfSpecs.set(spec, [])
  optionsOfSpecs.set(spec, {})
}

/** Records the next operation of a recorded upstream. */
export function recordOperation(
  upstream: UpstreamSpec,
  key: string,
  spec: OperationSpec,
  options: AnyOperationOptions,
  create: (input?: unknown) => Call<unknown>,
): void {
  ;(operationsOfSpecs.get(upstream) as OperationSpec[]).push(spec)
  ;(optionsOfSpecs.get(upstream) as Record<string, AnyOperationOptions>)[key] = options
  specsOfOperations.set(create, spec)
  operationsBySpec.set(spec, create)
}

/** Returns the operations of an upstream, in the order of their declaration. */
export function operationsOf(spec: UpstreamSpec): readonly OperationSpec[] {
  return operationsOfSpecs.get(spec) as readonly OperationSpec[]
}

/** Returns the options with which the operations of an upstream were declared, by their names. */
export function operationOptionsOf(spec: UpstreamSpec): Readonly<Record<string, AnyOperationOptions>> {
  return optionsOfSpecs.get(spec) as Readonly<Record<string, AnyOperationOptions>>
}

/** Returns the checked declaration of an operation; `undefined` for an operation that belongs to no upstream. */
export function specOfOperation(declared: Operation<never, unknown>): OperationSpec | undefined {
  return specsOfOperations.get(declared)
}

/** Returns the operation of a declaration: the function that creates its calls. */
export function createCallOf(spec: OperationSpec): (input?: unknown) => Call<unknown> {
  return operationsBySpec.get(spec) as (input?: unknown) => Call<unknown>
}
