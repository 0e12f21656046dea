import { subscribe, unsubscribe, type Channel } from 'node:diagnostics_channel'
import { declaringModule } from './declaring-module.ts'
import type { Generations } from './generations.ts'
import type { ImportedFile } from './import-graph.ts'

/**
 * The values that modules declare on a diagnostics channel while they are evaluated. A reload does not evaluate the
 * modules that did not change, so each value is kept with its module.
 */
export class DeclaredValues<T> {
  readonly #channel: Channel
  readonly #generations: Generations
  readonly #byModule = new WeakMap<ImportedFile, T[]>()
  /** The values that packages declare. Node.js evaluates a package once. */
  readonly #ofPackages: T[] = []
  readonly #hear = (value: unknown) => this.#keep(value as T)

  constructor(channel: Channel, generations: Generations) {
    this.#channel = channel
    this.#generations = generations
  }

  start(): void {
    subscribe(this.#channel.name, this.#hear)
  }

  stop(): void {
    unsubscribe(this.#channel.name, this.#hear)
  }

  /** Returns the values of the modules that are in use, in the order of their declaration. */
  inUse(): T[] {
    return [...this.#ofPackages, ...this.#generations.graph.inUse().flatMap(module => this.#byModule.get(module) ?? [])]
  }

  #keep(value: T): void {
    const { graph } = this.#generations
    const declaring = declaringModule(file => graph.get(file))
    if (declaring === undefined) {
      this.#ofPackages.push(value)
      return
    }
    const { module, generation = module.generation } = declaring
    // A replaced module can call a function that declares a value, for a request in flight.
    if (generation !== module.generation) return
    const values = this.#byModule.get(module)
    if (values === undefined) this.#byModule.set(module, [value])
    else values.push(value)
  }
}
