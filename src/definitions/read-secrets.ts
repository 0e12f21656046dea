import { ConfigError } from '../config.ts'
import { readAccess } from '../upstream/auth/access.ts'
import type { Override } from '../upstream/runtime.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Variables } from '../upstream/spec/variables.ts'

/**
 * Reads what upstreams need of the environment, and gives the values that no log may show; throws a `ConfigError` that
 * names every variable that is missing or wrong.
 *
 * @param onFile - Is called with the path of each file that a variable names, before it is read.
 */
export function readSecrets(
  specs: readonly UpstreamSpec[],
  overrides: Readonly<Record<string, Override>>,
  variables: Variables,
  onFile?: (path: string) => void,
): readonly string[] {
  // What is switched off needs nothing.
  const read = specs
    .filter(({ name }) => overrides[name]?.off !== true)
    .map(spec => readAccess(spec, variables, onFile))
  const faults = new Set(read.flatMap(access => access.faults.map(({ variable, reason }) => `${variable}: ${reason}`)))
  if (faults.size > 0) throw new ConfigError([...faults].join('\n'))
  return read.flatMap(({ secrets }) => secrets)
}
