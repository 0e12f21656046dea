import type { PartName } from './options.ts'
import type { PartResult } from './part-metrics.ts'

export interface ChaosRun {
  readonly parts: Readonly<Partial<Record<PartName, PartResult>>>
  /** Output of the service when it exited; `undefined` when it did not exit. */
  readonly died: string | undefined
  /** True if the service was ready after the run and answered a healthy request completely. */
  readonly isWell: boolean
}

/** Minimum share of complete replies among the admitted requests to healthy aggregates. */
const leastWhole = 0.999
/** Maximum share of refused requests among the requests to healthy aggregates. */
const mostShed = 0.05
/** The error codes of a request that the service did not answer in time. */
const hung = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** Returns one text per requirement that the service did not meet. */
export function violationsOf({ parts, died, isWell }: ChaosRun): string[] {
  const violations: string[] = []
  const check = (holds: boolean, text: string) => {
    if (!holds) violations.push(text)
  }
  check(died === undefined, `the service ended: ${died}`)
  check(died !== undefined || isWell, 'after the end the service is not ready, or does not answer a healthy request')
  for (const [name, { mixedUp, failed }] of Object.entries(parts)) {
    check(mixedUp === 0, `${name}: ${mixedUp} answers with the ids of another request`)
    const hanging = Object.entries(failed).reduce((sum, [code, count]) => (hung.has(code) ? sum + count : sum), 0)
    check(hanging === 0, `${name}: ${hanging} requests were not answered in time`)
  }
  const { asked = 0, admitted = 0, whole = 0, shed = 0 } = parts.healthy ?? {}
  check(admitted > 0, 'no healthy request was admitted')
  check(
    whole >= leastWhole * admitted,
    `healthy: ${whole} of ${admitted} admitted requests were answered whole, which is ${percent(whole, admitted)}`,
  )
  check(
    shed <= mostShed * asked,
    `healthy: ${shed} of ${asked} requests were refused, which is ${percent(shed, asked)}`,
  )
  return violations
}

function percent(part: number, all: number): string {
  return `${((100 * part) / all).toFixed(2)} %`
}
