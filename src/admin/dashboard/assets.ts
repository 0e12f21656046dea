import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { assetFiles, type AssetFile } from './asset-files.ts'
import { stripTypes } from './strip-types.ts'

/** A file as the browser gets it. */
export interface Asset {
  readonly type: AssetFile['type']
  readonly text: string
  /** The entity tag. */
  readonly tag: string
}

interface Stored extends Asset {
  /** The time of the last change of the file, in ms. */
  readonly changed: number
}

/**
 * The files of the page. A file is read at its first request and kept. A source is read again after a change, so that
 * an edit of the page needs no restart.
 */
export class Assets {
  readonly #files: ReadonlyMap<string, AssetFile>
  readonly #stored = new Map<AssetFile, Promise<Stored>>()

  /** @param files - The files by their path below `/dashboard/assets/`. @default the files of this installation */
  constructor(files: ReadonlyMap<string, AssetFile> = assetFiles()) {
    this.#files = files
  }

  /**
   * Returns a file.
   *
   * @param name - The path below `/dashboard/assets/`.
   * @returns The file; `undefined` if the page has no such file.
   */
  async find(name: string): Promise<Asset | undefined> {
    const file = this.#files.get(name)
    if (file === undefined) return undefined
    const stored = await this.#storedOf(file)
    return file.hasTypes && stored.changed !== (await changedAt(file)) ? this.#storedOf(file, stored) : stored
  }

  /** @param outdated - The text that is replaced, unless another request has replaced it. */
  async #storedOf(file: AssetFile, outdated?: Stored): Promise<Stored> {
    const known = this.#stored.get(file)
    if (known !== undefined && (outdated === undefined || (await known) !== outdated)) return known
    // One thread removes the types of all sources that are not read yet. The page asks for all of them at once.
    const files = file.hasTypes
      ? [...new Set(this.#files.values())].filter(each => each === file || (each.hasTypes && !this.#stored.has(each)))
      : [file]
    const reading = read(files)
    for (const [index, each] of files.entries()) {
      const one = reading.then(all => all[index] as Stored)
      this.#stored.set(each, one)
      one.catch(() => this.#stored.delete(each))
    }
    return this.#stored.get(file) as Promise<Stored>
  }
}

async function read(files: readonly AssetFile[]): Promise<readonly Stored[]> {
  const changed = await Promise.all(files.map(changedAt))
  const urls = files.map(({ url }) => url)
  const texts =
    files[0]?.hasTypes === true ? await stripTypes(urls) : await Promise.all(urls.map(url => readFile(url, 'utf8')))
  return files.map(({ type }, index) => {
    const text = texts[index] as string
    return { type, text, tag: `"${hash('sha1', text, 'base64url')}"`, changed: changed[index] as number }
  })
}

async function changedAt({ url }: AssetFile): Promise<number> {
  return (await stat(url)).mtimeMs
}
