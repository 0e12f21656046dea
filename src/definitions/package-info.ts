import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The name and the version of a package. */
export interface PackageInfo {
  readonly title?: string
  readonly version?: string
}

/**
 * Returns the name and the version from the nearest `package.json`. The search starts in the folder, or in the folder
 * of the file, and continues in its parents. A field that the `package.json` does not have is not set. Both fields are
 * not set if the path does not exist, for example because the file was removed after it was loaded.
 */
export function packageInfo(path: string): PackageInfo {
  let folder = folderOf(path)
  while (folder !== undefined) {
    const found = readPackage(join(folder, 'package.json'))
    if (found !== undefined) return found
    const parent = dirname(folder)
    folder = parent === folder ? undefined : parent
  }
  return {}
}

/** Returns the real path of a folder, or of the folder of a file. Returns `undefined` if the path does not exist. */
function folderOf(path: string): string | undefined {
  try {
    const real = realpathSync(path)
    return statSync(real).isDirectory() ? real : dirname(real)
  } catch {
    return undefined
  }
}

/** Returns `undefined` if the file cannot be read. Returns neither a name nor a version if it is not valid JSON. */
function readPackage(file: string): PackageInfo | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { name, version } = (JSON.parse(text) ?? {}) as { readonly name?: unknown; readonly version?: unknown }
    return { ...(isText(name) && { title: name }), ...(isText(version) && { version }) }
  } catch {
    return {}
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}
