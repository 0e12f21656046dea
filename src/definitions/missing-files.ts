import { dirname, extname, join } from 'node:path'

/** The endings that Node.js and TypeScript can add to an import without an extension. */
const endings = ['.ts', '.js', '.json', '/index.js', '/index.json']

/**
 * Returns the files that would make a failed import succeed. The watch must include all of them.
 *
 * For a package, they are its `package.json` in each `node_modules` folder above the importer. They do not include the
 * files in the `imports` of the importer's own `package.json`, because Node.js reads that `package.json` only once.
 *
 * @param specifier - The specifier in the import.
 * @param target - The path of the file that was not found, or `undefined` if a package was not found.
 * @param importer - The path of the file that contains the import.
 */
export function missingFiles(specifier: string, target: string | undefined, importer: string): string[] {
  if (target !== undefined) {
    const extension = extname(target)
    if (extension === '.js') return [target, `${target.slice(0, -extension.length)}.ts`]
    return [target, ...(/^\.(?:[cm]?[jt]s|json)$/.test(extension) ? [] : endings.map(ending => target + ending))]
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return foldersAbove(importer).map(folder => join(folder, 'node_modules', name, 'package.json'))
}

function foldersAbove(path: string): string[] {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersAbove(folder)]
}
