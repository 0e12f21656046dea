import { createRequire } from 'node:module'
import { ImportGraph, type ImportedFile } from './import-graph.ts'

/** The CommonJS modules of this process, by the path of the file. */
const { cache } = createRequire(import.meta.url)

type CommonModule = NonNullable<(typeof cache)[string]>

/**
 * The modules of one load after another. A load evaluates the modules that changed since the last accepted load, and
 * their importers. A rejected load changes nothing: the next one starts from the last accepted load too.
 */
export class Generations {
  /** The modules of the last accepted load. */
  #accepted = new ImportGraph()
  /** The modules of the last load. They are watched, accepted or not. */
  #latest = this.#accepted
  #isLoading = false
  #number = 0
  #next = 0
  /** The CommonJS modules that the load replaces. */
  #replaced = new Map<string, CommonModule>()

  /** The modules that code imports now. */
  get graph(): ImportGraph {
    return this.#isLoading ? this.#latest : this.#accepted
  }

  /** The modules of the last load, accepted or not. */
  get latest(): ImportGraph {
    return this.#latest
  }

  /** The generation of a module that is imported now for the first time. */
  get number(): number {
    return this.#number
  }

  /** Returns the module of a file. */
  reach(file: string): ImportedFile {
    return this.graph.reach(file, this.#number)
  }

  /** Starts a load. */
  begin(): void {
    this.#number = this.#next++
    const changed = this.#accepted.changed()
    this.#latest = this.#accepted.without(changed)
    this.#isLoading = true
    this.#replaced = new Map()
    for (const { file } of changed) {
      const replaced = cache[file]
      // The key of a CommonJS module is the name of its file. The generation in the URL has no effect on it.
      if (replaced !== undefined) this.#replaced.set(file, replaced)
      delete cache[file]
    }
  }

  /** Ends a load whose modules are used from now on. Returns the files that it evaluated. */
  accept(): string[] {
    // A file that is imported again later is evaluated again.
    for (const { file } of this.#latest.prune()) delete cache[file]
    this.#end(this.#latest)
    return this.#evaluated().map(({ file }) => file)
  }

  /** Ends a load whose modules are not used. */
  reject(): void {
    for (const { file } of this.#evaluated()) delete cache[file]
    for (const [file, module] of this.#replaced) cache[file] = module
    this.#end(this.#accepted)
    // Node.js keeps the modules of the rejected load, so their generation is not used again.
    this.#number = this.#next++
  }

  #end(accepted: ImportGraph): void {
    this.#accepted = accepted
    this.#isLoading = false
    this.#replaced = new Map()
  }

  #evaluated(): ImportedFile[] {
    return this.#latest.inUse().filter(({ generation }) => generation === this.#number)
  }
}
