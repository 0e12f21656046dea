import type { Context } from '@opentelemetry/api'

/**
 * A context with one more value than its parent. `setValue` of the API copies all values and creates three functions,
 * which costs more than starting a span that is not recorded.
 */
export class OverlayContext implements Context {
  readonly #parent: Context
  readonly #key: symbol
  readonly #value: unknown

  constructor(parent: Context, key: symbol, value: unknown) {
    this.#parent = parent
    this.#key = key
    this.#value = value
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#parent.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new OverlayContext(this, key, value)
  }

  deleteValue(key: symbol): Context {
    return new OverlayContext(this, key, undefined)
  }
}
