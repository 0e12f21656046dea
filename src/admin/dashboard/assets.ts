import { hash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { assetFiles, type AssetFile } from './asset-files.ts'
import { stripTypes, type Stripped } from './strip-types.ts'

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
    for (const [each, reading] of read(files)) {
      this.#stored.set(each, reading)
      // A later request reads it again, unless one has begun to.
      reading.catch(() => this.#stored.get(each) === reading && this.#stored.delete(each))
    }
    return this.#stored.get(file) as Promise<Stored>
  }
}

/** Reads files that all have types, or one that has none. Each fails alone. */
function read(files: readonly AssetFile[]): ReadonlyMap<AssetFile, Promise<Stored>> {
  const changes = files.map(changedAt)
  // A file that changes after its time was read is read again.
  const texts = Promise.allSettled(changes).then(() => textsOf(files))
  return new Map(
    files.map((file, index) => {
      const text = texts.then(all => all[index] as Stripped)
      return [file, storedOf(file, changes[index] as Promise<number>, text)]
    }),
  )
}

async function textsOf(files: readonly AssetFile[]): Promise<readonly Stripped[]> {
  const urls = files.map(({ url }) => url)
  if (files[0]?.hasTypes === true) return stripTypes(urls)
  return Promise.all(urls.map(async url => ({ text: await readFile(url, 'utf8') })))
}

async function storedOf(file: AssetFile, changing: Promise<number>, reading: Promise<Stripped>): Promise<Stored> {
  try {
    const [changed, result] = await Promise.all([changing, reading])
    if ('error' in result) throw result.error
    const { text } = result
    return { type: file.type, text, tag: `"${hash('sha1', text, 'base64url')}"`, changed }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${fileURLToPath(file.url)} cannot be read: ${reason}`, { cause: error })
  }
}

async function changedAt({ url }: AssetFile): Promise<number> {
  return (await stat(url)).mtimeMs
}
