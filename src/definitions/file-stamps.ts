import { statSync } from 'node:fs'
import { foldersTo } from './folders-to.ts'

/** The stamp of a file that was added with different stamps. No file has it. */
const several = 'several'

/** Files, each with a stamp of the state in which it was added. */
export class FileStamps {
  readonly #stamps = new Map<string, string>()

  /** Returns files with given stamps. A file with two different stamps has changed. */
  static of(entries: Iterable<readonly [file: string, stamp: string]>): FileStamps {
    const stamps = new FileStamps()
    for (const [file, stamp] of entries)
      stamps.#stamps.set(file, (stamps.#stamps.get(file) ?? stamp) === stamp ? stamp : several)
    return stamps
  }

  /** Adds a file with the stamp of its current state. Has no effect if the file was added before. It need not exist. */
  add(file: string): void {
    if (!this.#stamps.has(file)) this.#stamps.set(file, stampOf(file))
  }

  /** Returns true if a file was written, replaced, created or removed since `add`, or if its permissions changed. */
  hasChanged(): boolean {
    return Array.from(this.#stamps).some(([file, stamp]) => stampOf(file) !== stamp)
  }

  /** Returns true if a file was given with different stamps. */
  hasSeveral(): boolean {
    return Array.from(this.#stamps.values()).includes(several)
  }

  /** Returns each file with its stamp. */
  entries(): Iterable<readonly [file: string, stamp: string]> {
    return this.#stamps
  }

  /** Returns the same files with the stamps of their current state. */
  renewed(): FileStamps {
    const stamps = new FileStamps()
    for (const file of this.#stamps.keys()) stamps.add(file)
    return stamps
  }

  /** Returns the folders in which a change can change one of the files. */
  folders(): string[] {
    return Array.from(this.#stamps.keys(), file => [...foldersTo(file)]).flat()
  }
}

/** Returns a text that changes when the file is written or replaced, or when its permissions change. */
function stampOf(file: string): string {
  try {
    const { mtimeMs, size, ino, mode } = statSync(file)
    return `${mtimeMs} ${size} ${ino} ${mode}`
  } catch {
    return 'missing'
  }
}
