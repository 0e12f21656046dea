import type { Window } from './window.ts'

/**
 * Returns the reason to discard a window of any target: a wrong answer, or other processes that used more than a
 * fraction of the target's core. Their use of the other core is not a reason, because a slow target leaves that core
 * idle.
 */
export function disturbanceOf(
  { non200, foreign }: Pick<Window, 'non200' | 'foreign'>,
  limit: number,
): string | undefined {
  if (non200 > 0) return `${non200} responses were not 200`
  if (foreign === null || foreign.target <= limit) return undefined
  return `other processes had ${(foreign.target * 100).toFixed(0)} % of the core of the target`
}
