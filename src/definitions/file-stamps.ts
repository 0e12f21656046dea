import { statSync } from 'node:fs'
import { foldersTo } from './folders-to.ts'

/** Files that a load has read or has looked for in vain, each with its state from before that. */
export class FileStamps {
  readonly #stamps = new Map<string, string>()

  /** Adds a file, which need not exist. The first state of a file is kept. */
  add(file: string): void {
    if (!this.#stamps.has(file)) this.#stamps.set(file, stampOf(file))
  }

  clear(): void {
    this.#stamps.clear()
  }

  /** Returns true if a file was written, replaced, added or removed, or got other rights, since it was added here. */
  hasChanged(): boolean {
    return Array.from(this.#stamps).some(([file, stamp]) => stampOf(file) !== stamp)
  }

  /** Returns the folders in which a change can be a change of one of the files. */
  folders(): string[] {
    return Array.from(this.#stamps.keys(), file => [...foldersTo(file)]).flat()
  }
}

/** Returns a text that differs when the file at the path is another one, was written, or has other rights. */
function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino, mode } = statSync(file)
    return `${mtimeMs} ${size} ${ino} ${mode}`
  } catch {
    return 'missing'
  }
}
