import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The folders with the modules and the styles of the page, below the sources or below `dist`. */
const folders = ['dashboard', 'waterfall'] as const

/** Modules of the server in these folders. */
const serverModules: ReadonlySet<string> = new Set(['dashboard/page'])

/** A file that the page may load. */
export interface AssetFile {
  readonly url: URL
  readonly type: 'text/javascript' | 'text/css' | 'image/svg+xml'
  /** True for a TypeScript source, whose types are removed before it is sent. */
  readonly hasTypes: boolean
}

/**
 * Lists the files that the page may load, by their path below `/dashboard/assets/`. A request names one of them exactly
 * or gets 404, so that no path of a request becomes a path of the file system.
 *
 * The modules have their paths in the sources or in `dist`, so that their relative imports work unchanged.
 *
 * @param root - The folder of the sources or of `dist`.
 * @param extension - The extension of the modules: `.ts` for sources, `.js` in `dist`.
 */
export function assetFiles(
  root: URL = new URL('../../', import.meta.url),
  extension: string = extname(import.meta.url),
): ReadonlyMap<string, AssetFile> {
  const hasTypes = extension === '.ts'
  const files = new Map<string, AssetFile>([
    ['uplot.js', { url: fileOfUplot('uPlot.iife.min.js'), type: 'text/javascript', hasTypes: false }],
    ['uplot.css', { url: fileOfUplot('uPlot.min.css'), type: 'text/css', hasTypes: false }],
  ])
  for (const folder of folders)
    for (const path of filesBelow(new URL(`${folder}/`, root))) {
      const name = `${folder}/${path}`
      const url = new URL(name, root)
      if (name.endsWith('.css')) files.set(name, { url, type: 'text/css', hasTypes: false })
      else if (name.endsWith('.svg')) files.set(name, { url, type: 'image/svg+xml', hasTypes: false })
      else if (isModule(name, extension)) files.set(name, { url, type: 'text/javascript', hasTypes })
    }
  return files
}

function isModule(name: string, extension: string): boolean {
  return name.endsWith(extension) && !name.endsWith('.d.ts') && !serverModules.has(name.slice(0, -extension.length))
}

/** Returns the paths of the files below a folder, with `/` between their parts. */
function filesBelow(folder: URL): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(path => path.replaceAll('\\', '/'))
}

function fileOfUplot(name: string): URL {
  return pathToFileURL(createRequire(import.meta.url).resolve(`uplot/dist/${name}`))
}
