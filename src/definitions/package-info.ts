import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The name and the version of a package. */
export interface PackageInfo {
  readonly title?: string
  readonly version?: string
}

/**
 * Returns the name and the version in the nearest `package.json` of a file or a folder, as far as it has them. A path
 * that does not exist, as a file that was removed after it was loaded, has neither.
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

/** Returns the folder of a file, or a folder itself, with links followed; undefined if the path does not exist. */
function folderOf(path: string): string | undefined {
  try {
    const real = realpathSync(path)
    return statSync(real).isDirectory() ? real : dirname(real)
  } catch {
    return undefined
  }
}

/** Returns undefined if there is no such file. A file that is not valid has neither a name nor a version. */
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
