import type { StepKind } from './step.ts'

/** Old names of step options, by kind of step, with the names that replaced them. To be removed in 1.0. */
export const renamedOptions: Readonly<Partial<Record<StepKind, Readonly<Record<string, string>>>>> = {
  each: { width: "'concurrency'", tolerate: "'minSuccess' and 'fallback'" },
}

/** Old names of methods of the builder, with the names that replaced them. */
const renamedMethods = { before: 'context', after: 'onReply' } as const

/** Refuses an option by its old name, and names the new one. */
export function rejectRenamedOptions(
  owner: string,
  given: unknown,
  renamed: Readonly<Record<string, string>> = {},
): void {
  for (const [name, replacement] of Object.entries(renamed)) {
    if (Object.hasOwn(Object(given) as object, name))
      throw new TypeError(`${owner}: '${name}' was renamed to ${replacement}`)
  }
}

/** Refuses `optional(name, fallback, fn, options)`, the old shape of an optional step. */
export function rejectOldOptional(owner: string, name: string, fn: unknown, options: unknown): void {
  if (typeof fn === 'function' && typeof options !== 'function') return
  throw new TypeError(
    `${owner}: an optional step takes its fallback as an option: optional('${name}', fn, { fallback })`,
  )
}

/** Methods by their old names, which throw. */
export function renamedBuilderMethods(aggregate: string): Readonly<Record<keyof typeof renamedMethods, () => never>> {
  const refuse = (name: keyof typeof renamedMethods) => () => {
    throw new TypeError(`aggregate '${aggregate}': ${name}() was renamed to ${renamedMethods[name]}()`)
  }
  return { before: refuse('before'), after: refuse('after') }
}
