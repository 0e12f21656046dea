import { wholeNumber } from '../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean } from '../core/option-values.ts'
import { maxAdaptiveConnections } from './spec/check-upstream.ts'
import type { OriginOptions } from './spec/origin-options.ts'
import { basePath, originFault, originText } from './spec/origin.ts'
import { entryText, isDiscovered, originSpecs, overriddenOrigins, type UpstreamOrigins } from './spec/origins-spec.ts'
import { overrideRenames } from './spec/renamed.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import type { UpstreamAddress } from './transport/transport.ts'

/** Settings of one upstream that replace the options of its declaration. */
export interface Override {
  /** The origin. It replaces the declared one and its base path. @default the origin of the declaration */
  readonly origin?: string | undefined
  /** The origins, which replace the declared ones. `origin` must not be set with it. @default those of the declaration */
  readonly origins?: readonly (string | OriginOptions)[] | undefined
  /**
   * The largest number of concurrent calls. The number of connections changes with it.
   * @default the concurrency of the declaration
   */
  readonly concurrency?: number | 'adaptive' | undefined
  /** The limit on one attempt, in ms. @default the limit of the declaration */
  readonly attemptTimeout?: number | undefined
  /** If true, every call fails with `UPSTREAM_OFF` and no secret of the upstream is read. @default false */
  readonly off?: boolean | undefined
}

const overrideOptions: OptionKeys<Override> = {
  origin: true,
  origins: true,
  concurrency: true,
  attemptTimeout: true,
  off: true,
}

/** Checks the override of one upstream. Throws a `TypeError` that names the upstream and the option. */
export function checkOverride(name: string, override: Override): void {
  const owner = `upstream '${name}'`
  rejectUnknownOptions(owner, override, overrideOptions, { renamed: overrideRenames })
  const { origin, origins, concurrency, attemptTimeout, off } = override
  if (off !== undefined) checkBoolean(owner, 'off', off)
  if (concurrency !== undefined && concurrency !== 'adaptive') wholeNumber(owner, 'concurrency', concurrency)
  if (attemptTimeout !== undefined) wholeNumber(owner, 'attemptTimeout', attemptTimeout, { unit: 'ms' })
  const fault = origin === undefined ? undefined : originFault(origin)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  if (origins === undefined) return
  if (origin !== undefined) throw new TypeError(`${owner}: origin and origins exclude each other: remove one of them`)
  originSpecs(`${owner}: origins`, origins)
}

/** Returns an upstream with the limits of its override. */
export function withOverride(
  spec: UpstreamSpec,
  { concurrency = spec.concurrency, attemptTimeout = spec.attemptTimeout }: Override,
): UpstreamSpec {
  return { ...spec, concurrency, attemptTimeout, connections: connectionsFor(concurrency, spec) }
}

/**
 * Returns the number of connections if an override changes the concurrency. The number of spare connections stays the
 * same.
 */
function connectionsFor(concurrency: number | 'adaptive', declared: UpstreamSpec): number {
  if (concurrency === declared.concurrency) return declared.connections
  if (concurrency === 'adaptive') return Math.max(declared.connections, maxAdaptiveConnections)
  return declared.concurrency === 'adaptive'
    ? Math.max(declared.connections, concurrency)
    : declared.connections - declared.concurrency + concurrency
}

/**
 * Returns the address of an upstream: that of its declaration, or that of its override.
 *
 * @throws `TypeError` if DNS records are the origins of an override and the upstream has a proxy.
 */
export function addressOf(spec: UpstreamSpec, override: Override): UpstreamAddress {
  const { origin, origins } = originsOf(spec, override)
  const url = new URL(origin)
  const isTrusted = override.origin !== undefined || override.origins !== undefined
  return { url, origins, prefix: basePath(url), isTrusted, isOff: override.off === true }
}

/** Returns the origins of an upstream for people: one URL, or a list with weights and DNS records. */
export function originsText(spec: UpstreamSpec, override: Override): string {
  const { origin, origins } = originsOf(spec, override)
  return origins === undefined ? origin : origins.map(entryText).join(', ')
}

function originsOf(spec: UpstreamSpec, { origin, origins }: Override): UpstreamOrigins {
  if (origin !== undefined) return { origin: originText(new URL(origin)), origins: undefined }
  if (origins === undefined) return spec
  const owner = `upstream '${spec.name}'`
  const specs = originSpecs(`${owner}: origins`, origins)
  if (spec.proxy !== undefined && specs.some(isDiscovered))
    throw new TypeError(`${owner}: addresses and srv have no effect with its proxy: list the origins by their URLs`)
  return overriddenOrigins(spec.name, specs)
}
