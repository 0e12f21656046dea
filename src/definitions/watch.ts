import { watch as watchFolder, type FSWatcher } from 'node:fs'

/** The definitions that are watched; the folders may change with each reload. */
export interface Watched {
  readonly folders: () => ReadonlySet<string>
  /** Returns true if a file has changed since the last load. */
  readonly changed: () => boolean
}

/** How long to wait for the rest of a change after its first sign, in ms: an editor writes in several steps. */
const settleMs = 50

/** Calls `reload` after each change, one call at a time; `reload` must not reject. Returns a function that stops it. */
export function watch({ folders, changed }: Watched, reload: () => Promise<void>): () => void {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  let isReloading = false
  let isStopped = false

  function follow(): void {
    const now = folders()
    for (const folder of watchers.keys()) if (!now.has(folder)) drop(folder)
    for (const folder of now) {
      if (watchers.has(folder)) continue
      try {
        watchers.set(
          folder,
          watchFolder(folder, onEvent).on('error', () => drop(folder)),
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

  function onEvent(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      void check()
    }, settleMs)
  }

  async function check(): Promise<void> {
    if (isReloading || isStopped) return
    isReloading = true
    follow()
    while (!isStopped && changed()) {
      await reload()
      follow()
    }
    isReloading = false
  }

  // A change between the load and this point has raised no event.
  void check()
  return () => {
    isStopped = true
    clearTimeout(timer)
    for (const folder of watchers.keys()) drop(folder)
  }
}
