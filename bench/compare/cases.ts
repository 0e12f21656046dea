import { appCase } from './app/case.ts'
import type { Case } from './case.ts'
import { serveCase } from './serve/case.ts'
import { twin } from './targets.ts'
import type { TargetSpec } from './targets.ts'

export const caseNames = ['serve', 'app'] as const
export type CaseName = (typeof caseNames)[number]

/** Returns a case. `against` is the folder of another checkout, which adds targets to the case `serve`. */
export function caseOf(name: CaseName, against?: string): Case {
  return name === 'serve' ? serveCase(against) : appCase
}

/** Returns the specification of a target; throws for an unknown name. */
export function specOf({ specs }: Pick<Case, 'specs'>, name: string): TargetSpec {
  const spec = specs[name === twin.name ? twin.of : name]
  if (spec === undefined) throw new Error(`unknown target '${name}'`)
  return spec
}
