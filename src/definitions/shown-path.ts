import { relative } from 'node:path'
import { startFolder } from './start-folder.ts'

/** Returns the path relative to the start folder if it is inside that folder, otherwise the path unchanged. */
export function shownPath(file: string): string {
  const short = relative(startFolder, file)
  return short === '' || short.startsWith('..') ? file : short
}
