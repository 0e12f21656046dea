import { ConfigError } from '../config.ts'
import { addressOf, type Override } from '../upstream/override.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'

/**
 * Checks overrides that depend on the declaration of the upstream.
 *
 * @throws `ConfigError` with the fault of each override.
 */
export function checkOverrides(specs: readonly UpstreamSpec[], overrides: Readonly<Record<string, Override>>): void {
  const faults = specs.flatMap(spec => faultOf(spec, overrides[spec.name] ?? {}))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
}

function faultOf(spec: UpstreamSpec, override: Override): string[] {
  try {
    addressOf(spec, override)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}
