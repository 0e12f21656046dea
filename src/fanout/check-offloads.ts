import { pathToFileURL } from 'node:url'
import type { AnyAggregate } from './aggregate.ts'
import { labelOf } from './step.ts'
import { offloadOf, type OffloadSpec } from './offload/offload.ts'

/**
 * Returns the reason for which an offloaded function cannot be called, given the exports of its module; `undefined` if
 * it can be called.
 */
export function missingFunction(
  { name, file }: OffloadSpec,
  exports: Readonly<Record<string, unknown>>,
): string | undefined {
  if (typeof exports[name] === 'function') return undefined
  const names = Object.keys(exports).filter(key => typeof exports[key] === 'function')
  const others = names.length === 0 ? '' : `; it exports ${names.join(', ')}`
  return `${file} exports no function '${name}'${others}`
}

/**
 * Checks that all functions that aggregates offload exist. Throws a `TypeError` that names the aggregate, the step and
 * the file.
 */
export async function checkOffloads(aggregates: readonly AnyAggregate[]): Promise<void> {
  for (const { name, steps, merge, hooks } of aggregates) {
    const functions = [
      ['context()', hooks.context?.handler],
      ...steps.map(step => [labelOf(step), step.handler] as const),
      ['merge', merge],
      ['onReply()', hooks.onReply],
    ] as const
    for (const [label, handler] of functions) {
      const spec = offloadOf(handler)
      if (spec !== undefined && !spec.isChecked) await check(spec, `aggregate '${name}', ${label}`)
    }
  }
}

async function check(spec: OffloadSpec, owner: string): Promise<void> {
  let exports
  try {
    exports = (await import(pathToFileURL(spec.file).href)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw new TypeError(`${owner}: ${spec.file} cannot be loaded: ${(error as Error).message}`, { cause: error })
  }
  const fault = missingFunction(spec, exports)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  spec.isChecked = true
}
