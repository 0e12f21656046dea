import { shownVariables } from '../../config/shown-variables.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'
import { hidden } from '../../log/redaction.ts'
import { originsText } from '../../upstream/override.ts'
import type { UpstreamSpec } from '../../upstream/spec/spec.ts'
import { Secret } from '../../upstream/spec/secret.ts'
import type { Variables } from '../../upstream/spec/variables.ts'

type Values = Readonly<Record<string, unknown>>

/** The fields of the log line of the configuration. Secrets are redacted. */
export interface LoggedConfiguration {
  /** The variables that are set, and the number of processes that an option sets, with their values. */
  readonly set: Values
  /** The variables of the service that are not set, with their defaults. */
  readonly defaults: Values
  /** The origin of each upstream, after the overrides, or several with commas. */
  readonly origins: Readonly<Record<string, string>>
}

/** Variables with the URL of a proxy, which may contain credentials. */
const proxies = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'] as const
const exceptions = ['no_proxy', 'NO_PROXY'] as const

/** The variable that the option `--workers` replaces. */
const workersVariable = 'HEADWATERS_WORKERS'

/**
 * Returns the effective configuration for the log.
 *
 * @param workers - The number of processes that serve. An option or the number of cores may decide it.
 */
export function configurationOf({ environment, specs, overrides }: Catalogue, workers: number): LoggedConfiguration {
  const isSet = (name: string) => isGiven(environment, name) || (name === workersVariable && workers !== 1)
  const entries = Object.entries({ ...shownVariables(environment), [workersVariable]: workers })
  return {
    set: Object.fromEntries([
      ...entries.filter(([name]) => isSet(name)),
      ...Object.entries(environment).filter(([name]) => name.startsWith('HEADWATERS_UPSTREAM_') && isSet(name)),
      ...(specs.some(({ proxy }) => proxy !== undefined) ? proxiesIn(environment) : []),
      ...[...new Set(specs.flatMap(({ auth, tls, proxy }) => variablesIn([auth, tls, proxy])))]
        .filter(isSet)
        .map(name => [name, hidden] as const),
    ]),
    defaults: Object.fromEntries(entries.filter(([name]) => !isSet(name))),
    origins: Object.fromEntries(specs.map(spec => [spec.name, originOf(spec, overrides[spec.name])] as const)),
  }
}

function isGiven(environment: Variables, name: string): boolean {
  return (environment[name]?.trim() ?? '') !== ''
}

function proxiesIn(environment: Variables): (readonly [string, string])[] {
  const shown = (names: readonly string[], show: (value: string) => string) =>
    names
      .filter(name => isGiven(environment, name))
      .map(name => [name, show((environment[name] as string).trim())] as const)
  return [...shown(proxies, value => URL.parse(value)?.origin ?? hidden), ...shown(exceptions, value => value)]
}

/** Returns the names of the variables with secrets in the options of an upstream. */
function variablesIn(options: readonly unknown[]): string[] {
  return options.flatMap(option => {
    if (option instanceof Secret) return [option.variable]
    return typeof option === 'object' && option !== null ? variablesIn(Object.values(option)) : []
  })
}

/** Returns the origins with their paths, or `off`. They never contain credentials or a query. */
function originOf(spec: UpstreamSpec, override: Catalogue['overrides'][string] | undefined): string {
  if (override?.off === true) return 'off'
  return originsText(spec, override ?? {})
}
