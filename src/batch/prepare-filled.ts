import { exceedsValueCount } from '../core/json/excess.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { Prepared } from './batch-call.ts'
import { inputFaults } from './check-input.ts'
import type { Offered } from './offer.ts'
import { prepare, type Refused } from './prepare.ts'

/** An input with more values than this is read up to its first fault. */
const mostValues = 100

const noReferences: ReadonlySet<object> = new Set()

/**
 * Makes the request of a call from an input with the values of its references. An upstream chooses the size of these
 * values, and many calls may take the same one, so a large input that is refused has its first fault only.
 *
 * @returns The request, or the faults of the input.
 * @throws Any error of a function of the author
 */
export function prepareFilled(offered: Offered, input: unknown, headers: InboundHeaders): Prepared | Refused {
  const at = '/input'
  if (!exceedsValueCount(input, mostValues)) return prepare(offered, input, headers, at)
  const faults = inputFaults(offered, input, at, noReferences, { issues: 0 })
  return faults.length > 0 ? faults : prepare(offered, input, headers, at)
}
