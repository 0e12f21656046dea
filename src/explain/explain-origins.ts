import type { Override } from '../upstream/override.ts'
import { isDiscovered, type OriginSpec } from '../upstream/spec/origins-spec.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { ExplainedOrigin } from './explanation.ts'
import type { LimitSettings } from './upstream-limits.ts'

/** Explains the origins among which each attempt has one. */
export function explainOrigins(
  { name }: UpstreamSpec,
  origins: readonly OriginSpec[],
  override: Override,
  { variableOf }: LimitSettings,
): ExplainedOrigin[] {
  const from = override.origins === undefined ? 'declared' : (variableOf(name, 'origins') ?? 'override')
  return origins.map(({ origin, weight, addresses, srv }) => ({
    origin,
    weight,
    addresses,
    ...(srv !== undefined && { srv }),
    from,
  }))
}

/** Returns the note on the effect of several origins. */
export function originsNote(origins: readonly OriginSpec[]): string {
  const count = origins.some(isDiscovered) ? 'its origins' : `${origins.length} origins`
  return `each attempt is sent to one of ${count}; a retry and a hedge go to another one`
}
