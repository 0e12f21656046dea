import type { Partition } from '../core/partition.ts'
import { readAccess, type Access } from './auth/access.ts'
import { operationOptionsOf } from './declared-specs.ts'
import { addressOf, withOverride, type Override } from './override.ts'
import { equalOptions } from './spec/equal-options.ts'
import type { Layers } from './spec/layers.ts'
import { dividedSpec, scaledSpec } from './spec/partition-spec.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import type { Variables } from './spec/variables.ts'
import type { UpstreamAddress } from './transport/transport.ts'

/** An upstream as a runtime calls it. */
export interface EffectiveUpstream {
  /** The declaration, with the names and options of the operations. */
  readonly declared: UpstreamSpec
  /** The declaration after overrides, with the layers of the runtime and the limits of this process. */
  readonly spec: UpstreamSpec
  readonly address: UpstreamAddress
  /** The secrets that the declaration names; `undefined` for an upstream that is off. */
  readonly access: Access | undefined
}

/** The options of a runtime that change its upstreams. */
export interface EffectiveOptions {
  readonly overrides: Readonly<Record<string, Override>>
  readonly environment: Variables
  readonly layers: Required<Layers>
  readonly partition: Partition | undefined
  readonly scale: number
  /** True if the replicas share state. */
  readonly sharesState: boolean
}

/**
 * Returns an upstream as a runtime with these options calls it.
 *
 * @throws `TypeError` for limits or an address that cannot be used.
 */
export function effectiveUpstream(
  declared: UpstreamSpec,
  { overrides, environment, layers: { call, attempt }, partition, scale, sharesState }: EffectiveOptions,
): EffectiveUpstream {
  const override = (Object.hasOwn(overrides, declared.name) ? overrides[declared.name] : undefined) ?? {}
  const layers = { call: [...call, ...declared.layers.call], attempt: [...attempt, ...declared.layers.attempt] }
  const own = withOverride({ ...declared, layers }, override)
  const address = addressOf(declared, override)
  return {
    declared,
    spec: scaledSpec(dividedSpec(own, partition, sharesState), scale),
    address,
    access: address.isOff ? undefined : readAccess(declared, environment),
  }
}

/**
 * Returns true if the client of one upstream can serve the calls of the other: the names, all options, the values of
 * the variables and the content of the files that they name are equal. Functions, schemas and layers are the same
 * objects.
 */
export function isUnchanged(one: EffectiveUpstream, other: EffectiveUpstream): boolean {
  return equalOptions(comparedOf(one), comparedOf(other))
}

function comparedOf({ declared, spec, address: { url, origins, isTrusted, isOff }, access }: EffectiveUpstream) {
  return {
    spec,
    operations: operationOptionsOf(declared),
    address: { url: url.href, origins, isTrusted, isOff },
    fingerprint: access?.fingerprint,
  }
}
