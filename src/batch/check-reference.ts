import type { Fault } from '../errors.ts'
import type { Offered } from './offer.ts'
import type { Reference } from './reference.ts'
/** Static checks; see below. */
export function referenceFaults(_reference: Reference, _producer: Offered, _offered: Offered, _at: string): Fault[] {
  return []
}
