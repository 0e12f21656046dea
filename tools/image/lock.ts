import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Versions = Readonly<Record<string, string>>

/** The fields of package.json that the image needs. */
export interface Manifest {
  readonly dependencies: Versions
  readonly devDependencies: Versions
  readonly peerDependencies: Versions
  readonly [field: string]: unknown
}

/** An entry of `packages` in package-lock.json. */
export interface LockedPackage {
  readonly dependencies?: Versions
  readonly optionalDependencies?: Versions
  readonly peerDependencies?: Versions
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly [field: string]: unknown
}

/** The content of package-lock.json. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
  readonly [field: string]: unknown
}

/** Peers that only an app of a user loads. `headwaters serve` loads the others. */
const peersOfApps = ['iovalkey', 'redis']

/** The packages that the build of `dist` needs. */
const buildPackages = ['typescript', '@types/node']

/** Returns the path of a package as Node.js resolves it from the folder of another one. */
function locate(packages: Lock['packages'], name: string, from: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('node_modules/') - 1, 0))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (path in packages) return path
    if (folder === '') return undefined
  }
}

/** Returns the peers that npm installs with a package. */
function requiredPeers({ peerDependencies = {}, peerDependenciesMeta = {} }: LockedPackage): string[] {
  return Object.keys(peerDependencies).filter(name => peerDependenciesMeta[name]?.optional !== true)
}

/** Returns the paths of packages and of all packages that they need. */
function reachable(packages: Lock['packages'], names: readonly string[], withOptional: boolean): Set<string> {
  const paths = new Set<string>()
  const add = (wanted: readonly string[], from: string): void => {
    for (const name of wanted) {
      const path = locate(packages, name, from)
      if (path === undefined || paths.has(path)) continue
      paths.add(path)
      const { dependencies, optionalDependencies } = packages[path] as LockedPackage
      add(Object.keys({ ...dependencies, ...(withOptional && optionalDependencies) }), path)
      add(requiredPeers(packages[path] as LockedPackage), path)
    }
  }
  add(names, '')
  return paths
}

/**
 * Reduces package.json and package-lock.json to the packages of the image. Versions and checksums stay as they are.
 *
 * @returns A package.json whose `dependencies` are what the service can load, and whose `devDependencies` are what the
 *   build needs, with its lock.
 */
export function imageLock(manifest: Manifest, lock: Lock): { readonly manifest: object; readonly lock: Lock } {
  const { name, version, license, type, engines, exports, scripts, devDependencies } = manifest
  const peers = Object.keys(manifest.peerDependencies).filter(peer => !peersOfApps.includes(peer))
  const pinned = (names: readonly string[]) => Object.fromEntries(names.map(each => [each, devDependencies[each]]))
  const fields = {
    name,
    version,
    license,
    type,
    engines,
    dependencies: { ...manifest.dependencies, ...pinned(peers) },
    devDependencies: pinned(buildPackages),
  }
  const loaded = Object.keys(fields.dependencies)
  const needed = reachable(lock.packages, loaded, false)
  const production = reachable(lock.packages, loaded, true)
  const all = reachable(lock.packages, [...loaded, ...buildPackages], true)
  const entries = Object.entries(lock.packages)
    .filter(([path]) => all.has(path))
    .map(([path, { dev: _dev, peer: _peer, devOptional: _devOptional, optional, ...entry }]) => [
      path,
      {
        ...entry,
        ...(!production.has(path) && { dev: true, ...(optional === true && { optional }) }),
        ...(production.has(path) && !needed.has(path) && { optional: true }),
      },
    ])
  return {
    manifest: { ...fields, exports, scripts: { build: (scripts as Versions)['build'] } },
    lock: { ...lock, packages: { '': fields, ...Object.fromEntries(entries) } },
  }
}

if (import.meta.main) {
  const [folder = '.'] = process.argv.slice(2)
  const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
  const { manifest, lock } = imageLock(read('package.json') as Manifest, read('package-lock.json') as Lock)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock, null, 2))
}
