import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The name and the version of a package. */
export interface PackageInfo {
  readonly title?: string
  readonly version?: string
}

/** Returns the name and the version in the nearest `package.json` of a file or a folder, as far as it has them. */
export function packageInfo(path: string): PackageInfo {
  const start = realpathSync(path)
  let folder = statSync(start).isDirectory() ? start : dirname(start)
  for (;;) {
    const found = readPackage(join(folder, 'package.json'))
    if (found !== undefined) return found
    const parent = dirname(folder)
    if (parent === folder) return {}
    folder = parent
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
