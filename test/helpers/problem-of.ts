import { Problem } from '../../src/errors.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'

/** The problem that a run rejects with; throws when it did not, or rejected with something else. */
export async function problemOf(
  run: Promise<unknown>,
): Promise<Problem & { readonly sources: Readonly<Record<string, Outcome>> }> {
  const settled = await run.then(
    value => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in settled)) throw new Error(`expected a problem and got ${JSON.stringify(settled.value)}`)
  if (!(settled.error instanceof Problem)) throw settled.error
  return settled.error as Problem & { readonly sources: Readonly<Record<string, Outcome>> }
}
