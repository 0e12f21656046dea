import { pathToFileURL } from 'node:url'
import type { AnyAggregate } from '../aggregate.ts'
import { offloadOf, type OffloadSpec } from './offload.ts'

/** Says what is wrong with a function that was to be offloaded, by what its module exports. */
export function missingFunction(
  { name, file }: OffloadSpec,
  exports: Readonly<Record<string, unknown>>,
): string | undefined {
  if (typeof exports[name] === 'function') return undefined
  const names = Object.keys(exports).filter(key => typeof exports[key] === 'function')
  const others = names.length === 0 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
  return `${file} exports no function '${name}'${others}`
}

/**
 * Looks whether the functions that aggregates have offloaded are there; throws a `TypeError` that names the aggregate,
 * the place and the file.
 */
export async function checkOffloads(aggregates: readonly AnyAggregate[]): Promise<void> {
  for (const { name, steps, merge, hooks } of aggregates) {
    const places = [
      ['before', hooks.context?.author],
      ...steps.map(step => [`step '${step.name}'`, step.author] as const),
      ['merge', merge],
      ['after', hooks.onReply],
    ] as const
    for (const [place, author] of places) {
      const spec = offloadOf(author)
      if (spec !== undefined && !spec.isChecked) await check(spec, `aggregate '${name}', ${place}`)
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
