import type { Window } from './window.ts'

/**
 * Why a window counts for nothing, whichever target it is of: what was answered wrongly, or more than a share of the
 * target's core went to other processes. What they had of the other core is no reason: a slow target leaves it idle,
 * and who takes what is idle disturbs nobody.
 */
export function disturbanceOf(
  { non200, foreign }: Pick<Window, 'non200' | 'foreign'>,
  limit: number,
): string | undefined {
  if (non200 > 0) return `${non200} responses were not 200`
  if (foreign === null || foreign.target <= limit) return undefined
  return `other processes had ${(foreign.target * 100).toFixed(0)} % of the core of the target`
}
