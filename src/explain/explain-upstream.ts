import { isDeclared } from '../core/declared-options.ts'
import { addressOf, type Override } from '../upstream/override.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { explainOrigins, originsNote } from './explain-origins.ts'
import type { ExplainedUpstream } from './explanation.ts'
import { upstreamLimits, type LimitSettings } from './upstream-limits.ts'

export interface UpstreamSettings extends LimitSettings {
  /** Returns the present state of an upstream. @default no state */
  readonly stateOf?: (upstream: string) => ExplainedUpstream['now']
}

/** Returns the override of an upstream; an empty one without it. */
export function overrideOf({ name }: UpstreamSpec, { overrides }: LimitSettings): Override {
  return (Object.hasOwn(overrides, name) ? overrides[name] : undefined) ?? {}
}

/** Explains an upstream for a run with a deadline, in ms. */
export function explainUpstream(spec: UpstreamSpec, options: UpstreamSettings, deadline: number): ExplainedUpstream {
  const override = overrideOf(spec, options)
  const { url, origins, isOff } = addressOf(spec, override)
  const now = options.stateOf?.(spec.name)
  return {
    origin: url.origin,
    ...(origins && { origins: explainOrigins(spec, origins, override, options) }),
    limits: upstreamLimits(spec, options, deadline),
    forwardHeaders: spec.forwardHeaders,
    ...(now !== undefined && { now }),
    notes: [
      ...(isOff
        ? [`off: every call fails with UPSTREAM_OFF (${options.variableOf(spec.name, 'off') ?? 'override'})`]
        : []),
      ...(origins === undefined ? [] : [originsNote(origins)]),
      ...(origins === undefined && isDeclared(spec, 'balance') ? ['balance has no effect with one origin'] : []),
      ...(spec.proxy === undefined ? [] : ['its calls may go through a proxy']),
    ],
  }
}
