import type { Window } from './window.ts'

/** Why a window counts for nothing, whichever target it is of: what was answered wrongly, or more than a share of a core went to other processes. */
export function disturbanceOf ({ non200, foreign }: Pick<Window, 'non200' | 'foreign'>, limit: number): string | undefined {
  if (non200 > 0) return `${non200} responses were not 200`
  if (foreign === null) return undefined
  const worst = foreign.target > foreign.load ? 'target' : 'load'
  return foreign[worst] > limit ? `other processes had ${(foreign[worst] * 100).toFixed(0)} % of the core of ${worst === 'target' ? 'the target' : 'upstream and load'}` : undefined
}
