import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** The packages of a base with Node.js, a shell and the programs that the build runs. */
const buildPackages = [
  'dash',
  'coreutils',
  'findutils',
  'libselinux1',
  'libpcre2-8-0',
  'libacl1',
  'libattr1',
  'libgmp10',
]

/** The packages of a base that runs the binary of Node.js. It has no shell. */
const runPackages = ['base-files', 'libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates']

/** Folders of a package that no program needs. */
const leftOut = /^\/usr\/share\/(?:doc|man|locale|lintian|info|bug)\//

/**
 * Copies the files of installed Debian packages into a folder. The folder is the root file system of a base image, in
 * place of the bases of the Dockerfile: no registry of images is needed.
 */
export function copyPackages(folder: string, packages: readonly string[]): void {
  mkdirSync(join(folder, 'usr'), { recursive: true })
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    mkdirSync(join(folder, 'usr', name))
    symlinkSync(join('usr', name), join(folder, name))
  }
  const files = execFileSync('dpkg', ['-L', ...packages], { encoding: 'utf8' }).split('\n')
  for (const file of files) {
    if (
      !file.startsWith('/') ||
      leftOut.test(file) ||
      statSync(file, { throwIfNoEntry: false })?.isDirectory() !== false
    )
      continue
    // /lib is a link to /usr/lib, so the package's path of a file is not always its place.
    cpSync(file, join(folder, realpathSync(dirname(file)), basename(file)), { verbatimSymlinks: true, force: true })
  }
}

/** The authorities that this machine trusts. The package `ca-certificates` creates the file when it is installed. */
const authorities = '/etc/ssl/certs/ca-certificates.crt'

/** The folder of the base in which npm has its cache. */
export const npmCache = '/npm-cache'

/** Writes the root file system of the base for the build: the Node.js of this process, npm, and a shell. */
export function writeBuildBase(folder: string): void {
  copyPackages(folder, [...runPackages, ...buildPackages])
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())))
  cpSync(npm, join(folder, 'usr/local/lib/node_modules/npm'), { recursive: true })
  mkdirSync(join(folder, 'usr/local/bin'), { recursive: true })
  cpSync(process.execPath, join(folder, 'usr/local/bin/node'))
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'))
  mkdirSync(join(folder, 'usr/local/etc'))
  writeFileSync(
    join(folder, 'usr/local/etc/npmrc'),
    `cache=${npmCache}\nprefer-offline=true\nupdate-notifier=false\ncafile=${authorities}\n`,
  )
  cpSync(authorities, join(folder, authorities))
  mkdirSync(join(folder, 'tmp'), { recursive: true })
}

/** Writes the root file system of the base for the service. */
export function writeRunBase(folder: string): void {
  copyPackages(folder, runPackages)
  mkdirSync(join(folder, 'tmp'), { recursive: true })
}
