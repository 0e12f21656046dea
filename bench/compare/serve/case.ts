import type { Case } from '../case.ts'
import { checkTarget } from './check-target.ts'
import { headers, inboundTarget, inputs } from './inputs.ts'
import { targetSpecs } from './target-specs.ts'

/** The case `serve`: `headwaters serve` with its defaults and the log level `warn`. The requests have parameters and headers. */
export function serveCase(against: string | undefined): Case {
  const kinds = targetSpecs(against)
  return {
    specs: kinds,
    targets: against === undefined ? Object.keys(kinds) : ['serve', 'other', 'floor-request', 'floor-dispatch'],
    rows: '1,5,20,100,20+10kb,5+8callers,5+512callers',
    inbound: fanout => ({ path: inputs.map(input => inboundTarget(input, fanout)), headers }),
    check: (target, upstream, { fanout, bodyBytes }) => checkTarget(target, upstream, fanout, bodyBytes),
  }
}
