import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { shownPath } from './shown-path.ts'
import type { DefinitionFault } from './definitions-error.ts'

/** A path from the command line, and the modules in it. */
export interface SearchedPath {
  /** The absolute path, without symbolic links. */
  readonly path: string
  readonly isFolder: boolean
  /** The absolute paths of the modules. The entries of each folder are sorted by name. */
  readonly files: readonly string[]
}

const isModule = (name: string) => /\.(?:ts|mts|js|mjs)$/.test(name)
const isLeftOut = (name: string) => /\.d\.m?ts$/.test(name) || /\.test\.\w+$/.test(name)

/**
 * Finds the modules in files and folders. Searches each folder with its subfolders. Skips `node_modules`, hidden files
 * and folders, tests and type declarations.
 */
export function findFiles(paths: readonly string[], faults: DefinitionFault[]): SearchedPath[] {
  const searched: SearchedPath[] = []
  for (const given of paths) {
    const path = realPathOf(given, faults)
    if (path === undefined) continue
    const isFolder = isFolderNow(path)
    if (!isFolder && (!isModule(path) || isLeftOut(path))) {
      faults.push({
        file: shownPath(path),
        reason:
          'is not a definitions module: pass a folder, or a .ts, .mts, .js or .mjs file (not a test or a .d.ts file)',
      })
      continue
    }
    searched.push({ path, isFolder, files: isFolder ? modulesIn(path, faults) : [path] })
  }
  return searched
}

/** Returns a folder and all subfolders that `findFiles` searches. Returns no folders for a file. */
export function foldersIn(path: string): string[] {
  const folder = realPathOf(path, [])
  return folder === undefined || !isFolderNow(folder) ? [] : treeOf(folder)
}

function treeOf(folder: string): string[] {
  return [
    folder,
    ...entriesOf(folder, [])
      .filter(entry => entry.isDirectory())
      .flatMap(({ name }) => treeOf(join(folder, name))),
  ]
}

function modulesIn(folder: string, faults: DefinitionFault[]): string[] {
  return entriesOf(folder, faults).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return modulesIn(path, faults)
    return isModule(entry.name) && !isLeftOut(entry.name) ? [path] : []
  })
}

function entriesOf(folder: string, faults: DefinitionFault[]): Dirent[] {
  return readFolder(folder, faults)
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Returns the entries of a folder. If the folder cannot be read, adds a fault and returns no entries. */
function readFolder(folder: string, faults: DefinitionFault[]): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    // A checkout of another branch can remove the folder, or replace it with a file, during the search.
    if (!isMissing(error)) faults.push(unreadable(folder, error))
    return []
  }
}

function isFolderNow(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Returns the path without symbolic links. If it cannot be resolved, adds a fault and returns `undefined`. */
function realPathOf(path: string, faults: DefinitionFault[]): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    faults.push(
      isMissing(error)
        ? { file: shownPath(path), reason: 'no such file or folder: check the path' }
        : unreadable(path, error),
    )
    return undefined
  }
}

function unreadable(path: string, error: unknown): DefinitionFault {
  const { code = 'unknown' } = error as NodeJS.ErrnoException
  const fix = code === 'EACCES' || code === 'EPERM' ? ': give this process permission to read it' : ''
  return { file: shownPath(path), reason: `cannot be read (${code})${fix}` }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
