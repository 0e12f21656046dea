import { statSync, watch as watchFolder, type FSWatcher } from 'node:fs'
import { basename } from 'node:path'

/** The watched definitions. The folders can change with each reload and with each change of a file. */
export interface Watched {
  readonly folders: () => ReadonlySet<string>
  /** Returns true if a file has changed since the last load. */
  readonly changed: () => boolean
}

/** A watcher and the inode of its folder. The path can lead to another folder later, which has another inode. */
interface WatchedFolder {
  readonly watcher: FSWatcher
  readonly inode: number | undefined
}

/** Time to wait for the rest of a change after its first event, in ms. An editor writes in several steps. */
const settleMs = 50

/** The codes of system errors of a limit on watchers or files. */
const limitCodes: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC'])

/** The maximum number of times that the folders are listed again while they change. */
const mostRounds = 10

export interface WatchOptions {
  /** Called when the system allows no more watchers. The files are then checked every `pollMs`. @default nothing */
  readonly onLimit?: (error: unknown, pollMs: number) => void
  /** Time between two checks while the system allows no more watchers, in ms. @default 10,000 */
  readonly pollMs?: number
}

/**
 * Calls `reload` after each change, one call at a time. `reload` must not reject. If `folders` or `changed` throws,
 * `onError` receives the error, and the next event starts a new check. Returns a function that stops the watch.
 */
export function watch(
  { folders, changed }: Watched,
  reload: () => Promise<void>,
  onError: (error: unknown) => void,
  { onLimit = () => {}, pollMs = 10_000 }: WatchOptions = {},
): () => void {
  const watchers = new Map<string, WatchedFolder>()
  let timer: NodeJS.Timeout | undefined
  let poll: NodeJS.Timeout | undefined
  let isReloading = false
  let isStopped = false
  /** The error of a folder for which the system allowed no watcher in the last check. */
  let limit: unknown

  /** Watches the current folders. A folder that appears during a round is found in the next round. */
  function follow(): void {
    const wasLimited = limit !== undefined
    limit = undefined
    for (let round = 0; round < mostRounds && openMissing(); round++);
    clearTimeout(poll)
    if (limit === undefined) return
    poll = setTimeout(() => void check(), pollMs)
    if (!wasLimited) onLimit(limit, pollMs)
  }

  /**
   * Closes the watchers of folders that were removed or replaced, and watches the folders that have no watcher. Returns
   * true if it watches a new folder, or if a folder disappeared before it was watched.
   */
  function openMissing(): boolean {
    const now = folders()
    for (const [folder, { inode }] of watchers) if (!now.has(folder) || inode !== inodeOf(folder)) drop(folder)
    let isOpened = false
    for (const folder of now) if (!watchers.has(folder) && open(folder)) isOpened = true
    return isOpened
  }

  function open(folder: string): boolean {
    try {
      const inode = inodeOf(folder)
      const watcher = watchFolder(folder, (_type, name) => {
        // The last event of a removed or renamed folder has the name of the folder itself.
        if (name === basename(folder)) drop(folder)
        onEvent()
      })
      watcher.on('error', () => {
        drop(folder)
        onEvent()
      })
      watchers.set(folder, { watcher, inode })
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (limitCodes.has(code)) limit = error
      return code === 'ENOENT'
    }
  }

  function drop(folder: string): void {
    watchers.get(folder)?.watcher.close()
    watchers.delete(folder)
  }

  function onEvent(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void check()
    }, settleMs)
  }

  async function check(): Promise<void> {
    if (isReloading || isStopped) return
    isReloading = true
    try {
      follow()
      while (!isStopped && changed()) {
        await reload()
        follow()
      }
    } catch (error) {
      onError(error)
    } finally {
      isReloading = false
    }
  }

  // A change between the load and this point has no event, so check once now.
  void check()
  return () => {
    isStopped = true
    clearTimeout(timer)
    clearTimeout(poll)
    for (const folder of watchers.keys()) drop(folder)
  }
}

/** Returns `undefined` if the folder does not exist, or if its parent cannot be searched. */
function inodeOf(folder: string): number | undefined {
  try {
    return statSync(folder).ino
  } catch {
    return undefined
  }
}
