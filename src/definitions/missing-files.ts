import { dirname, extname, join } from 'node:path'

/** The endings that Node.js and TypeScript may add to the name of a module that is imported without an extension. */
const endings = ['.ts', '.js', '.json', '/index.js', '/index.json']

/**
 * Returns the files that an import which found nothing would find: each of them is to be watched. An import of a
 * package without that package's `package.json` would find it in one of the folders above. Node.js reads a
 * `package.json` above the importer only once, so its `imports` are not among them.
 *
 * @param specifier - As the import has it.
 * @param target - The path of the file that was not found, or `undefined` where a package was not.
 * @param importer - The file with the import.
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
