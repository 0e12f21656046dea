import { resolve } from 'node:path'
import type { DefinitionFault } from './definitions-error.ts'
import { FileStamps } from './file-stamps.ts'
import { findFiles, foldersIn } from './find-files.ts'
import { foldersTo } from './folders-to.ts'
import { startFolder } from './start-folder.ts'

/** The state of the files of definitions when they were loaded. It can be sent to another process. */
export interface FilesState {
  /** The text of `listFiles`. */
  readonly listed: string
  /** The stamp of each file that decides what the definitions are. */
  readonly stamps: readonly (readonly [file: string, stamp: string])[]
}

/**
 * Returns a text that differs when a file of a path of the command line appears or disappears, or when a folder becomes
 * readable or unreadable.
 */
export function listFiles(paths: readonly string[]): string {
  const faults: DefinitionFault[] = []
  const files = findFiles(paths, faults).flatMap(searched => searched.files)
  return JSON.stringify([files, faults])
}

/** Returns the folders in which a change can change the files of a path of the command line. */
export function foldersOf(paths: readonly string[]): string[] {
  return paths.flatMap(path => [...foldersTo(path), ...foldersIn(path)])
}

/**
 * Joins the states in which several processes have loaded the same definitions. A file that they have loaded in
 * different states counts as changed since then.
 *
 * @returns The joined state, and false as `isSame` if the states differ; `undefined` without a state.
 */
export function joinStates(
  states: readonly FilesState[],
): { readonly state: FilesState; readonly isSame: boolean } | undefined {
  const [first] = states
  if (first === undefined) return undefined
  const listed = states.every(state => state.listed === first.listed) ? first.listed : severalLists
  const stamps = FileStamps.of(states.flatMap(state => state.stamps))
  return { state: { listed, stamps: [...stamps.entries()] }, isSame: listed === first.listed && !stamps.hasSeveral() }
}

/** A text that `listFiles` never returns. */
const severalLists = 'several'

/** The files of definitions that another process loads. */
export class RemoteFiles {
  readonly #paths: readonly string[]
  #listed: string
  #stamps: FileStamps

  /** @param paths The paths of the command line. */
  constructor(paths: readonly string[], { listed, stamps }: FilesState) {
    this.#paths = paths.map(path => resolve(startFolder, path))
    this.#listed = listed
    this.#stamps = FileStamps.of(stamps)
  }

  /** Follows the files of a later load. */
  follow({ listed, stamps }: FilesState): void {
    this.#listed = listed
    this.#stamps = FileStamps.of(stamps)
  }

  /**
   * Takes the present state of the same files. Call it before the other process loads them: if that process exits
   * without an answer, it would exit again with the same files, so that load is not repeated until one of them changes.
   */
  renew(): void {
    this.#listed = listFiles(this.#paths)
    this.#stamps = this.#stamps.renewed()
  }

  /** Returns the folders in which a change can change the definitions. */
  readonly folders = (): ReadonlySet<string> => new Set([...foldersOf(this.#paths), ...this.#stamps.folders()])

  /** Returns true if a file was written, added or removed since the load. */
  readonly changed = (): boolean => listFiles(this.#paths) !== this.#listed || this.#stamps.hasChanged()
}
