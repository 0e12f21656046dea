import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import type { CustomLayer } from './layer-types.ts'

/** The position of a custom layer: around a call with all its attempts, or around each attempt. */
export type LayerPosition = 'call' | 'attempt'

/** Custom layers by position, the outermost first. */
export interface Layers {
  /** Layers that run once per call, above the cache, coalescing, retries and hedges. @default [] */
  readonly call?: readonly CustomLayer[]
  /** Layers that run once per attempt, just above the transport. @default [] */
  readonly attempt?: readonly CustomLayer[]
}

const keys: OptionKeys<Layers> = { call: true, attempt: true }

/**
 * Checks the custom layers of an upstream, an app or a runtime. Throws a `TypeError` that names the owner and the
 * option.
 */
export function checkLayers(owner: string, layers: Layers): Required<Layers> {
  rejectUnknownOptions(owner, layers, keys, { group: 'layers' })
  return Object.freeze({
    call: checkList(owner, 'call', layers.call),
    attempt: checkList(owner, 'attempt', layers.attempt),
  })
}

function checkList(
  owner: string,
  position: LayerPosition,
  layers: readonly CustomLayer[] = [],
): readonly CustomLayer[] {
  if (Array.isArray(layers) && layers.every(layer => typeof layer === 'function')) return Object.freeze([...layers])
  throw new TypeError(
    `${owner}: layers.${position} must be a list of functions: layers: { ${position}: [next => call => next(call)] }`,
  )
}
