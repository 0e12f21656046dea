import { watch as watchFolder, type FSWatcher } from 'node:fs'

/** What is watched; the folders may be others after each change. */
export interface Watched {
  readonly folders: () => ReadonlySet<string>
  /** Whether something that counts is not as it was at the last load. */
  readonly changed: () => boolean
}

/** How long to wait for the rest of a change after its first sign, in ms: an editor writes in several steps. */
const settleMs = 50

/** Calls `reload` after each change, one call at a time; returns what ends it. `reload` must not reject. */
export function watch({ folders, changed }: Watched, reload: () => Promise<void>): () => void {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  let busy = false
  let over = false

  function follow(): void {
    const now = folders()
    for (const folder of watchers.keys()) if (!now.has(folder)) drop(folder)
    for (const folder of now) {
      if (watchers.has(folder)) continue
      try {
        watchers.set(
          folder,
          watchFolder(folder, stir).on('error', () => drop(folder)),
        )
      } catch {
        // Gone since it was listed; the folder above tells when it comes back.
      }
    }
  }

  function drop(folder: string): void {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }

  function stir(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void look()
    }, settleMs)
  }

  async function look(): Promise<void> {
    if (busy || over) return
    busy = true
    follow()
    while (!over && changed()) {
      await reload()
      follow()
    }
    busy = false
  }

  // A change between loading and here stirs nobody.
  void look()
  return () => {
    over = true
    clearTimeout(timer)
    for (const folder of watchers.keys()) drop(folder)
  }
}
