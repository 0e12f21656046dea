import type { RenamedOptions } from '../core/option-keys.ts'
import type { StepKind } from './step.ts'

/** Old names of step options, by kind of step, with the names that replaced them. To be removed in 1.0. */
export const renamedOptions: Readonly<Partial<Record<StepKind, RenamedOptions>>> = {
  each: { width: 'concurrency', tolerate: ['minSuccess', 'fallback'] },
}

/** Old names of methods of the builder, with the names that replaced them. */
const renamedMethods = { before: 'context', after: 'onReply' } as const

/** Refuses `optional(name, fallback, fn, options)`, the old shape of an optional step. */
export function rejectOldOptional(owner: string, name: string, fn: unknown, options: unknown): void {
  if (typeof fn === 'function' && typeof options !== 'function') return
  throw new TypeError(
    `${owner}: optional(name, fallback, fn, options) was renamed to optional(name, fn, { fallback, …options }): ` +
      `write optional('${name}', fn, { fallback })`,
  )
}

/** Returns builder methods under their old names. Each of them throws an error with the new name. */
export function renamedBuilderMethods(aggregate: string): Readonly<Record<keyof typeof renamedMethods, () => never>> {
  const refuse = (name: keyof typeof renamedMethods) => () => {
    throw new TypeError(`aggregate '${aggregate}': ${name}() was renamed to ${renamedMethods[name]}()`)
  }
  return { before: refuse('before'), after: refuse('after') }
}
