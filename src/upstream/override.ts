import { wholeNumber } from '../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean } from '../core/option-values.ts'
import { maxAdaptiveConnections } from './spec/check-upstream.ts'
import { basePath, originFault } from './spec/origin.ts'
import { overrideRenames } from './spec/renamed.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import type { UpstreamAddress } from './transport/transport.ts'

/** Settings of one upstream that replace the options of its declaration. */
export interface Override {
  /** The origin. It replaces the declared one and its base path. @default the origin of the declaration */
  readonly origin?: string | undefined
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

const overrideOptions: OptionKeys<Override> = { origin: true, concurrency: true, attemptTimeout: true, off: true }

/** Checks the override of one upstream. Throws a `TypeError` that names the upstream and the option. */
export function checkOverride(name: string, override: Override): void {
  const owner = `upstream '${name}'`
  rejectUnknownOptions(owner, override, overrideOptions, { renamed: overrideRenames })
  const { origin, concurrency, attemptTimeout, off } = override
  if (off !== undefined) checkBoolean(owner, 'off', off)
  if (concurrency !== undefined && concurrency !== 'adaptive') wholeNumber(owner, 'concurrency', concurrency)
  if (attemptTimeout !== undefined) wholeNumber(owner, 'attemptTimeout', attemptTimeout, { unit: 'ms' })
  const fault = origin === undefined ? undefined : originFault(origin)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
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

/** Returns the address of an upstream: the address in its declaration, or in its override. */
export function addressOf(spec: UpstreamSpec, { origin, off = false }: Override): UpstreamAddress {
  const url = new URL(origin ?? spec.origin)
  return { url, prefix: basePath(url), isTrusted: origin !== undefined, isOff: off }
}
