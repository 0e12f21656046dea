import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs'
import { join } from 'node:path'
import { shownPath } from './shown-path.ts'
import type { DefinitionFault } from './definitions-error.ts'

/** A path that the user named, and the modules in it. */
export interface SearchedPath {
  /** Absolute, with links followed. */
  readonly path: string
  readonly isFolder: boolean
  /** Absolute, in order. */
  readonly files: readonly string[]
}

const isModule = (name: string) => /\.(?:ts|mts|js|mjs)$/.test(name)
const isLeftOut = (name: string) => /\.d\.m?ts$/.test(name) || /\.test\.\w+$/.test(name)

/**
 * Finds the modules of files and folders; a folder is searched whole, but for `node_modules`, hidden folders, tests and
 * type declarations.
 */
export function findFiles(paths: readonly string[], faults: DefinitionFault[]): SearchedPath[] {
  const searched: SearchedPath[] = []
  for (const given of paths) {
    const path = realPathOf(given)
    if (path === undefined) {
      faults.push({ file: shownPath(given), reason: 'there is no such file or folder' })
      continue
    }
    const isFolder = isFolderNow(path)
    if (!isFolder && (!isModule(path) || isLeftOut(path))) {
      faults.push({
        file: shownPath(path),
        reason: 'is no module of definitions: give .ts, .mts, .js or .mjs files, or a folder of them',
      })
      continue
    }
    searched.push({ path, isFolder, files: isFolder ? modulesIn(path) : [path] })
  }
  return searched
}

/** A folder and all below it that definitions are looked for in; nothing for a file. Links to the folder are followed. */
export function foldersIn(path: string): string[] {
  const folder = realPathOf(path)
  return folder === undefined || !isFolderNow(folder) ? [] : treeOf(folder)
}

function treeOf(folder: string): string[] {
  return [
    folder,
    ...entriesOf(folder)
      .filter(entry => entry.isDirectory())
      .flatMap(({ name }) => treeOf(join(folder, name))),
  ]
}

function modulesIn(folder: string): string[] {
  return entriesOf(folder).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return modulesIn(path)
    return isModule(entry.name) && !isLeftOut(entry.name) ? [path] : []
  })
}

function entriesOf(folder: string): Dirent[] {
  return readFolder(folder)
    .filter(({ name }) => name !== 'node_modules' && !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Returns the entries of a folder; none where it was removed a moment ago, as by a checkout of another branch. */
function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function isFolderNow(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
