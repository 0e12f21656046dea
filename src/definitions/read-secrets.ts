import { ConfigError } from '../config.ts'
import { readAccess } from '../upstream/auth/access.ts'
import type { Override } from '../upstream/runtime.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Variables } from '../upstream/spec/variables.ts'

/**
 * Reads the variables that the upstreams name. Returns the values that a log must not contain.
 *
 * @param onFile - Called with the path of each file that a variable names, before the file is read.
 * @throws `ConfigError` with every variable that is missing or invalid.
 */
export function readSecrets(
  specs: readonly UpstreamSpec[],
  overrides: Readonly<Record<string, Override>>,
  variables: Variables,
  onFile?: (path: string) => void,
): readonly string[] {
  // An upstream that is off makes no calls, so it needs no variables.
  const read = specs
    .filter(({ name }) => overrides[name]?.off !== true)
    .map(spec => readAccess(spec, variables, onFile))
  const faults = new Set(read.flatMap(access => access.faults.map(({ variable, reason }) => `${variable}: ${reason}`)))
  if (faults.size > 0) throw new ConfigError([...faults].join('\n'))
  return read.flatMap(({ secrets }) => secrets)
}
