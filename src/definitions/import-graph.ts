import { FileStamps } from './file-stamps.ts'

/** The module of a file, with its imports. */
export class ImportedFile {
  readonly file: string
  /** The load that evaluates the module. */
  readonly generation: number
  /**
   * The file, with its state before it was read, and the other files that decide what it imports: symbolic links that
   * lead to its imports, and files that its imports did not find.
   */
  readonly stamps = new FileStamps()
  /** The files that it imports, in the order of the imports. */
  readonly imports = new Set<string>()

  constructor(file: string, generation: number) {
    this.file = file
    this.generation = generation
    this.stamps.add(file)
  }
}

/** The files of definitions, with their imports. */
export class ImportGraph {
  readonly #modules: Map<string, ImportedFile>
  /** The files that Headwaters loads itself. */
  readonly #roots = new Set<string>()
  /** The files that decide which files the roots are. */
  readonly rootStamps = new FileStamps()

  constructor(modules: Iterable<ImportedFile> = []) {
    this.#modules = new Map(Array.from(modules, module => [module.file, module]))
  }

  get(file: string): ImportedFile | undefined {
    return this.#modules.get(file)
  }

  /** Returns the module of a file. If the file has none, adds one that the generation evaluates. */
  reach(file: string, generation: number): ImportedFile {
    const known = this.#modules.get(file)
    if (known !== undefined) return known
    const module = new ImportedFile(file, generation)
    this.#modules.set(file, module)
    return module
  }

  addRoot(file: string): void {
    this.#roots.add(file)
  }

  /** Returns the modules whose files have changed, and all modules that import one of them, directly or indirectly. */
  changed(): ReadonlySet<ImportedFile> {
    const importers = new Map<string, ImportedFile[]>()
    for (const module of this.#modules.values())
      for (const file of module.imports) {
        const others = importers.get(file)
        if (others === undefined) importers.set(file, [module])
        else others.push(module)
      }
    const found = new Set([...this.#modules.values()].filter(({ stamps }) => stamps.hasChanged()))
    // The loop also visits the modules that it adds.
    for (const { file } of found) for (const importer of importers.get(file) ?? []) found.add(importer)
    return found
  }

  /** Returns a graph of the other modules, without roots. */
  without(removed: ReadonlySet<ImportedFile>): ImportGraph {
    return new ImportGraph([...this.#modules.values()].filter(module => !removed.has(module)))
  }

  /** Returns the modules that a root imports, directly or indirectly, and the roots, in the order of their evaluation. */
  inUse(): ImportedFile[] {
    const visited = new Set<string>()
    const ordered: ImportedFile[] = []
    const visit = (file: string): void => {
      const module = this.#modules.get(file)
      if (module === undefined || visited.has(file)) return
      visited.add(file)
      for (const imported of module.imports) visit(imported)
      ordered.push(module)
    }
    for (const root of this.#roots) visit(root)
    return ordered
  }

  /** Removes the modules that are not in use. Returns them. */
  prune(): ImportedFile[] {
    const used = new Set(this.inUse())
    const unused = [...this.#modules.values()].filter(module => !used.has(module))
    for (const { file } of unused) this.#modules.delete(file)
    return unused
  }

  hasChanged(): boolean {
    return this.#stamps().some(stamps => stamps.hasChanged())
  }

  /** Returns the folders in which a change can change a module. */
  folders(): string[] {
    return this.#stamps().flatMap(stamps => stamps.folders())
  }

  /** Returns each file that decides what the modules are, with its stamp. */
  entries(): (readonly [file: string, stamp: string])[] {
    return this.#stamps().flatMap(stamps => [...stamps.entries()])
  }

  #stamps(): FileStamps[] {
    return [this.rootStamps, ...Array.from(this.#modules.values(), ({ stamps }) => stamps)]
  }
}
