import type { OwnLayer } from '../policies/custom/custom.ts'

export type { LayerCall } from '../policies/custom/layer-call.ts'
export type { Answer } from '../policies/layer.ts'
export type { LayerNext, LayerUpstream, OwnLayer } from '../policies/custom/custom.ts'

/** Where an own layer stands: around a call with all its attempts, or around each attempt. */
export type At = 'call' | 'attempt'

export interface UseOptions {
  /** `'call'`: once a call, above everything that keeps, shares or repeats it. `'attempt'`: once an attempt, just above the wire. */
  readonly at: At
}

const made: unique symbol = Symbol('headwaters.use')

/** An own layer and where it stands; inert until an upstream is opened with it. */
export interface Use {
  readonly layer: OwnLayer
  readonly at: At
  /** Made by `use`. */
  readonly [made]: true
}

/** Says where an own layer stands, for the `use` of an upstream, an app or a runtime. */
export function use (layer: OwnLayer, { at }: UseOptions): Use {
  if (typeof layer !== 'function') throw new TypeError('use: the layer is no function: write use(next => call => next(call), { at: \'call\' })')
  if (at !== 'call' && at !== 'attempt') throw new TypeError(`use: at is '${String(at)}', and must be 'call' or 'attempt'`)
  return Object.freeze({ layer, at, [made]: true as const })
}

/** Takes a list of own layers, or throws a `TypeError` that names its owner. */
export function checkUses (owner: string, uses: readonly Use[]): readonly Use[] {
  const isUse = (each: Partial<Use> | null | undefined) => each?.[made] === true
  if (Array.isArray(uses) && uses.every(isUse)) return Object.freeze([...uses])
  throw new TypeError(`${owner}: use is a list of layers and where they stand: use: [use(layer, { at: 'call' })]`)
}
