import type { Problem } from '../../errors.ts'

/** Writes a problem as the answer to one request. */
export function problemBody(problem: Problem, id: string): string {
  return JSON.stringify({ ...problem.toJSON(), instance: `urn:headwaters:request:${id}` })
}
