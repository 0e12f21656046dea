import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkObjectName, isObjectName, type BulkStore, type ByteRange } from '../object-store.ts'

/** The age from which a temporary file belongs to no write in progress, in ms. */
const abandonedMs = 3_600_000

/**
 * A store in a folder of the disk. An object is written to a temporary file, which is synchronized with the disk and
 * then linked to its name. The link fails if the name exists. A crash leaves at most temporary files, and `open`
 * removes old ones.
 */
export class DiskStore implements BulkStore {
  readonly #objects: string
  readonly #temporary: string

  private constructor(folder: string) {
    this.#objects = join(folder, 'objects')
    this.#temporary = join(folder, 'temporary')
  }

  /** Opens the store of a folder, which is created if it is missing. */
  static async open(folder: string): Promise<DiskStore> {
    const store = new DiskStore(folder)
    await mkdir(store.#objects, { recursive: true })
    await mkdir(store.#temporary, { recursive: true })
    await store.sweep(Date.now() - abandonedMs)
    return store
  }

  /** Removes the temporary files that were written last before a time, in ms since the epoch. */
  async sweep(before: number): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      const found = await unlessAbsent(stat(path))
      if (found !== undefined && found.mtimeMs < before) await rm(path, { recursive: true, force: true })
    }
  }

  async create(name: string, body: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(name)
    const folder = dirname(path)
    const temporary = join(this.#temporary, randomUUID())
    try {
      await writeSynced(temporary, body)
      const { isNew, firstMade } = await linkIn(folder, temporary, path)
      if (!isNew) return false
      await syncFolder(folder)
      // The entries of new folders must survive a crash of the machine, too.
      if (firstMade !== undefined)
        for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
      return true
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async read(name: string, range?: ByteRange): Promise<Buffer | undefined> {
    const path = this.#pathOf(name)
    return unlessAbsent(range === undefined ? readFile(path) : readRange(path, range))
  }

  async has(name: string): Promise<boolean> {
    return (await unlessAbsent(stat(this.#pathOf(name)))) !== undefined
  }

  async list(folder: string): Promise<readonly string[]> {
    const names = await unlessAbsent(readdir(this.#pathOf(folder)))
    // A file system can have entries of its own, such as `.nfs` files and `lost+found`.
    return names?.filter(isObjectName).sort() ?? []
  }

  async remove(folder: string): Promise<void> {
    // The objects disappear at the same time: a reader never sees a part of a folder that is being removed.
    const removed = join(this.#temporary, randomUUID())
    await unlessAbsent(rename(this.#pathOf(folder), removed))
    await rm(removed, { recursive: true, force: true })
  }

  #pathOf(name: string): string {
    checkObjectName(name)
    return join(this.#objects, name)
  }
}

function unlessAbsent<T>(result: Promise<T>): Promise<T | undefined> {
  return unless('ENOENT', result)
}

/** Returns undefined in the place of a failure with this code. */
async function unless<T>(code: string, result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return undefined
    throw error
  }
}

/** Returns false if the name exists. A file in the place of a folder is a failure, which has the same code. */
async function linkIfAbsent(file: string, name: string): Promise<boolean> {
  return (
    (await unless(
      'EEXIST',
      link(file, name).then(() => true),
    )) ?? false
  )
}

/** The attempts to link a file in a folder that other processes remove. */
const mostLinks = 100

interface Linked {
  readonly isNew: boolean
  /** The first folder that was created. */
  readonly firstMade: string | undefined
}

/** Creates a folder and links a file in it. Another process may remove the folder between the two steps. */
async function linkIn(folder: string, file: string, name: string, links = 1): Promise<Linked> {
  try {
    const firstMade = await mkdir(folder, { recursive: true })
    return { isNew: await linkIfAbsent(file, name), firstMade }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || links === mostLinks) throw error
    return linkIn(folder, file, name, links + 1)
  }
}

async function writeSynced(path: string, body: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx')
  await file.writeFile(body)
  await file.datasync()
}

/** Synchronizes the entries of a folder, unless it was removed since. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await unlessAbsent(open(path, 'r'))
  await folder?.sync()
}

async function readRange(path: string, { start, end }: ByteRange): Promise<Buffer> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const bytes = Buffer.alloc(Math.max(0, Math.min(end, size) - start))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
  return bytes.subarray(0, bytesRead)
}
